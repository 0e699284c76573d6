/* A value as it stands in an object: the first byte chooses the type. What has a normal form is on
 * the same lists in either form; case, `*.` and a port make no difference. */
#include <stdio.h>
#include <string.h>

#include "observable/observable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { VALUE_BYTES = 600 };

static const struct {
    const char *type;
    enum observable_kind first, last;
} types[] = {{"ipv4-addr", OBSERVABLE_IPV4, OBSERVABLE_IPV4},
             {"ipv6-addr", OBSERVABLE_IPV6, OBSERVABLE_IPV6},
             {"domain-name", OBSERVABLE_DOMAIN, OBSERVABLE_DOMAIN},
             {"url", OBSERVABLE_URL, OBSERVABLE_URL},
             {"email-addr", OBSERVABLE_EMAIL, OBSERVABLE_EMAIL},
             {"file", OBSERVABLE_MD5, OBSERVABLE_SHA512},
             {"artifact", OBSERVABLE_MD5, OBSERVABLE_SHA512},
             {"process", 1, 0}};

static uint64_t warned(const char *type, const char *text)
{
    return observable_warned_value(str_of(type), str_of(text));
}

/* What holds of a name that is on `bits`. */
static void check_name(struct str name, uint64_t bits)
{
    char text[300], upper[OBSERVABLE_NAME_BYTES + 1];
    for (size_t i = 0; i < name.n; i++)
        upper[i] = (char)(name.p[i] >= 'a' && name.p[i] <= 'z' ? name.p[i] - 32 : name.p[i]);
    upper[name.n] = 0;
    must(warned("domain-name", upper) == bits);
    snprintf(text, sizeof text, "*.%s.", upper);
    must(warned("domain-name", text) == bits);
    snprintf(text, sizeof text, "https://%s:8443/", upper);
    must(warned("url", text) == bits);
    snprintf(text, sizeof text, "https://%s/x", upper);
    must(warned("url", text) == 0);
    snprintf(text, sizeof text, "*@%s", upper);
    must(warned("email-addr", text) == bits);
    /* a name below it is on none but the lists of whole trees and of suffixes */
    snprintf(text, sizeof text, "zz-zz.%s", upper);
    must((warned("domain-name", text) & OBSERVABLE_WARNINGLIST_BIT(TOP_SITE)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char out[OBSERVABLE_ROOM(VALUE_BYTES)];
    struct observable o;
    struct err e;
    if (n == 0 || n > VALUE_BYTES)
        return 0;
    size_t t = data[0] % (sizeof types / sizeof *types);
    struct str value = {(const char *)data + 1, n - 1};
    uint64_t bits = observable_warned_value(str_of(types[t].type), value);
    must(bits >> OBSERVABLE_WARNINGLISTS == 0);
    for (int k = (int)types[t].first; k <= (int)types[t].last; k++) {
        if (!observable_normalize((enum observable_kind)k, str_trim(value), true, out, sizeof out,
                                  &o, &e))
            continue;
        uint64_t plain = observable_warned(&o);
        /* A path or a local part of wildcards has a normal form, and is read as the pattern too. */
        bool wild = memchr(value.p, '*', value.n) != NULL || memchr(value.p, '%', value.n) != NULL;
        must(wild ? (plain & ~bits) == 0 : plain == bits);
        if (o.kind == OBSERVABLE_DOMAIN)
            check_name(o.text, plain);
    }
    return 0;
}
