/*
 * Built-in warning lists: values that an indicator must not name, because they are nobody's
 * (private and reserved addresses), everybody's (public suffixes, blocks without bounds) or too
 * important to be blocked. docs/WARNINGLISTS.md says what each list holds. A list only warns: what
 * follows, a refusal or a quarantine, is for policy to say. Lookups in constant tables; they
 * allocate nothing, but for names that are not ASCII, and any thread may call.
 */
#ifndef OBSERVABLE_WARNINGLIST_H
#define OBSERVABLE_WARNINGLIST_H

#include "base/base.h"

struct observable;

/* Name, text, in force by default. The order is that of the bits: it may grow at its end. */
#define OBSERVABLE_WARNINGLIST_TABLE(X)                                                            \
    X(SPECIAL_USE, "special-use", 1)                                                               \
    X(WIDE_BLOCK, "wide-block", 1)                                                                 \
    X(DOCUMENTATION, "documentation", 0)                                                           \
    X(PUBLIC_RESOLVER, "public-resolver", 1)                                                       \
    X(TOP_SITE, "top-site", 1)                                                                     \
    X(PUBLIC_SUFFIX, "public-suffix", 1)                                                           \
    X(ROOT_SERVER, "root-server", 1)                                                               \
    X(EMPTY_FILE, "empty-file", 1)                                                                 \
    X(BOGUS_EMAIL, "bogus-email", 1)

enum observable_warninglist {
#define X(name, text, on) OBSERVABLE_WARNINGLIST_##name,
    OBSERVABLE_WARNINGLIST_TABLE(X)
#undef X
};
#define OBSERVABLE_WARNINGLISTS 9 /* at most 16 */
/* The bit of a list in the sets below: bit 0 is the first list of the table. */
#define OBSERVABLE_WARNINGLIST_BIT(name) (UINT64_C(1) << OBSERVABLE_WARNINGLIST_##name)
/* The lists that are in force unless somebody says otherwise: all but `documentation`. */
#define OBSERVABLE_WARNINGLISTS_DEFAULT                                                            \
    (((UINT64_C(1) << OBSERVABLE_WARNINGLISTS) - 1) & ~OBSERVABLE_WARNINGLIST_BIT(DOCUMENTATION))

/* The lists that a value in normal form is on, whether in force or not:
 * - an address or block that overlaps a listed block, that is, lies in it or covers it;
 * - a name that is listed, or below a listed name whose whole tree is, or the parent of a listed
 *   name (an indicator for a name finds the names below it);
 * - a URL whose path is `/`, without a query, by its host; any other URL is on none;
 * - an e-mail address or hash that is listed. */
uint64_t observable_warned(const struct observable *o);
/* The same for a value as it stands in an object of STIX type ipv4-addr, ipv6-addr, domain-name,
 * url, email-addr, file or artifact (a hash); of other types no list holds values. Reads refanged
 * spellings, and what is no observable but a pattern: `.` and `.com`, and with `*`, or `%` as in
 * LIKE, in a name, as the end of an address or of a URL that is a host alone, or as all that stands
 * before an @. A pattern is on the lists of what it finds; what finds every name is on
 * `public-suffix`. Anything else that is no observable is on no list. */
uint64_t observable_warned_value(struct str object_type, struct str value);

/* If others register their names below this one (Public Suffix List, both parts, as libpsl has it);
 * a single label is one whether the list knows it or not. `name` is in normal form. */
bool observable_public_suffix(struct str name);

/* The list of that name and its number, from 0; false when there is none. */
bool observable_warninglist_find(struct str name, unsigned *bit) BASE_CHECKED;
/* `bit` is below OBSERVABLE_WARNINGLISTS; the text lives as long as the program. */
struct str observable_warninglist_name(unsigned bit);

#endif
