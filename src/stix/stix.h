/*
 * STIX 2.1 (OASIS Standard, 10 June 2021): what an object is, whether it keeps the rules, what its
 * markings say. Rules are tables, findings name clause and place. This room keeps no state and
 * never changes an object: bytes stay as they came. Any thread may call.
 */
#ifndef STIX_STIX_H
#define STIX_STIX_H

#include "base/base.h"
#include "json/json.h"

/* ---- markings ---- */

/* FIRST TLP 1 and 2.0, in order of strictness. NONE: the object carries no TLP marking. */
enum stix_tlp {
    STIX_TLP_NONE,
    STIX_TLP_CLEAR,
    STIX_TLP_GREEN,
    STIX_TLP_AMBER,
    STIX_TLP_AMBER_STRICT,
    STIX_TLP_RED
};
#define STIX_TLP_COUNT 6

const char *stix_tlp_name(enum stix_tlp tlp); /* "clear", "amber+strict"; "none" for NONE */
/* Accepts names with or without "tlp:", either case, "white" for CLEAR, and the marking ids. */
bool stix_tlp_parse(struct str name, enum stix_tlp *out) BASE_CHECKED;
/* The published marking-definition id, TLP 2.0 form (§ FIRST TLP 2.0), or STR_NONE for NONE. */
struct str stix_tlp_id(enum stix_tlp tlp);
/* NONE when `id` is none of the nine published TLP marking ids. */
enum stix_tlp stix_tlp_of_id(struct str id);

/* Permissible Actions Protocol: what a reader may do with it, in order of strictness. */
enum stix_pap { STIX_PAP_NONE, STIX_PAP_CLEAR, STIX_PAP_GREEN, STIX_PAP_AMBER, STIX_PAP_RED };

/* The strictest TLP marking that any part of `object` carries; `*where`, when not NULL, is set to
 * the string that names it (in object_marking_refs or a granular marking's marking_ref), or to
 * NULL. */
enum stix_tlp stix_effective_marking(const struct json *object, const struct json **where);
/* STIX 2.1 §7.2.3: the value that a granular marking's selector names in `object`; who selects a
 * value selects all below it. ERR_SYNTAX when it is ill-formed, ERR_NOT_FOUND when nothing is
 * there; e->at is the offset of the part that fails. */
bool stix_selector_find(const struct json *object, struct str selector, const struct json **out,
                        struct err *e) BASE_CHECKED;

/* ---- subscribers ---- */

/* The values of an object that stay with the organisation that submitted it, by their places. */
struct stix_local {
    const struct json **nodes;
    size_t count, room;
};
/* `local` may be NULL. */
bool stix_local_has(const struct stix_local *local, const struct json *node);
/* Does it hold an identifier of a subscriber or a device of a telephone network (3GPP TS 23.003,
 * TS 29.571), by the name of a property or the form of a text? What is in `local` does not count.
 */
bool stix_names_subscriber(const struct json *object, const struct stix_local *local);

/* STIX 2.1 §7.3: an extension-definition with `x_setu_local_only`, a list of names, says that these
 * properties of its extension (of type toplevel-property-extension: of the object) are local.
 * Lists them, in `a`, of an object and all it holds; of a definition that lists more than
 * LIMIT_STIX_LOCAL_NAMES the whole extension is local, and so are those past the first
 * LIMIT_STIX_LOCAL_EXTENSIONS. `definition` gives the definition of an id:
 * *out NULL when nothing is known of it; false ends the search, and this fails. */
typedef bool stix_definition_fn(void *ctx, struct str id, const struct json **out, struct err *e);
bool stix_local_find(const struct json *object, stix_definition_fn *definition, void *ctx,
                     struct arena *a, struct stix_local *out, struct err *e) BASE_CHECKED;
/* Does an extension of a definition stand in it or in what it holds? Without one nothing in it is
 * local, whatever definitions there are. */
bool stix_local_possible(const struct json *object);
/* The project's own definitions of telecommunications: a bundle. */
struct str stix_telecom_definitions(void);
/* Its definition of telecom-incident: of an incident or a sighting. */
#define STIX_TELECOM_INCIDENT "extension-definition--c85e03d7-72fa-4e15-b0a9-6f4d1b2e8c70"

/* What belongs to the home network: a guard without it knows the forms that name themselves alone.
 * Lists are words with blanks or commas between; ERR_SYNTAX, ERR_LIMIT over LIMIT_STIX_GUARD_HOME.
 * A guard that is filled is read-only, and any thread may use it. */
struct stix_guard;
struct stix_guard *stix_guard_new(void); /* NULL without memory */
void stix_guard_free(struct stix_guard *g);
bool stix_guard_plmns(struct stix_guard *g, struct str list, struct err *e) BASE_CHECKED;
/* What its telephone numbers begin with, 5 to 10 digits from the country code on. */
bool stix_guard_numbers(struct stix_guard *g, struct str list, struct err *e) BASE_CHECKED;
/* Prefixes of addresses that it gives to users. */
bool stix_guard_users(struct stix_guard *g, struct str list, struct err *e) BASE_CHECKED;

struct stix_guard_found {
    const char *name;   /* IMSI, MSISDN …; static */
    const char *coding; /* base64 …; NULL: as it is */
};
/* Does an identifier stand anywhere in these bytes, as ASCII (also in JSON's escapes), packed as
 * TBCD, or either of these in hexadecimal or base64? docs/SIGNALLING.md has the forms. `out` may be
 * NULL. Time and memory are linear in the bytes. Without memory the answer is yes, and the name
 * stix_guard_no_memory. */
extern const char stix_guard_no_memory[];
bool stix_guard_find(const struct stix_guard *g, struct str bytes, struct stix_guard_found *out);

/* ---- one object ---- */

enum stix_class { STIX_SDO, STIX_SRO, STIX_SCO, STIX_META, STIX_BUNDLE, STIX_UNKNOWN };
enum stix_class stix_class_of(struct str type);

/* What store, policy and detection need of an object. Borrowed from `json`. */
struct stix_object {
    const struct json *json;
    enum stix_class class;
    struct str id, type;
    struct str spec_version;   /* "2.1" or "2.0"; "2.1" where an SCO has none */
    struct str created_by_ref; /* or STR_NONE */
    struct str version;        /* text of modified, else created, else STR_NONE */
    int64_t version_us;        /* the same as an instant; 0 where there is none */
    bool has_version, revoked, granular;
    enum stix_tlp tlp; /* the strictest of object_marking_refs and granular markings */
    enum stix_pap pap; /* … of the published markings and the labels (`PAP:RED`) */
    const struct json *labels, *markings; /* arrays or NULL */
};

/* Reads the facts. ERR_INVALID, with `at`, when id, type or a version's timestamp are unusable. */
bool stix_object_read(const struct json *v, struct stix_object *out, struct err *e) BASE_CHECKED;

/* STIX 2.1 §2.9: TYPE--UUID; the prefix is copied out where `type` is not NULL. */
bool stix_id_parse(struct str id, struct str *type, struct err *e) BASE_CHECKED;

/* STIX 2.1 §2.9, §3.4: the UUID of the deterministic id of a cyber-observable of this content.
 * EMPTY: no property that contributes is there. OPEN: the text leaves it open (hashes that it does
 * not rank), or the type is no cyber-observable of STIX 2.1. */
enum stix_sco_id { STIX_SCO_ID_MADE, STIX_SCO_ID_EMPTY, STIX_SCO_ID_OPEN, STIX_SCO_ID_NO_MEMORY };
enum stix_sco_id stix_sco_id(const struct json *v, char uuid[37]);

/* ---- where objects stand in a document ---- */

/* A bundle, a TAXII envelope, an array of objects or one object. */
enum stix_container { STIX_IN_BUNDLE, STIX_IN_ENVELOPE, STIX_IN_ARRAY, STIX_IN_ITSELF };
/* First object and their number; siblings follow by `next` (none for STIX_IN_ITSELF). */
bool stix_container_open(const struct json *doc, enum stix_container *kind,
                         const struct json **first, size_t *count, struct err *e) BASE_CHECKED;

/* ---- checking ---- */

enum stix_severity { STIX_ERROR, STIX_WARNING };

/* One finding; valid only during the call. `path` as in $.kill_chain_phases[0].phase_name. */
struct stix_finding {
    enum stix_severity severity;
    const char *rule;  /* a stable id: stix21-CLAUSE-WORDS */
    struct str object; /* the object's id or STR_NONE */
    struct str path;
    size_t at;          /* offset of the offending value in the source */
    struct str message; /* a sentence that says what to do */
    bool unjudged;      /* there was no memory to judge it: not the object's fault */
};
typedef void stix_finding_fn(void *ctx, const struct stix_finding *f);

struct stix_check_options {
    bool strict;               /* warnings count as errors */
    bool tolerate_short_times; /* created/modified without milliseconds: warning, as on arrival */
};

/* Checks one object. Returns the number of errors; every finding goes to `report`. */
size_t stix_object_check(const struct json *v, const struct stix_check_options *o,
                         stix_finding_fn *report, void *ctx);
/* Checks a whole document: container, each object, duplicates of (id, modified) with other content.
 */
size_t stix_document_check(const struct json *doc, const struct stix_check_options *o,
                           stix_finding_fn *report, void *ctx);

/* ---- matrices of techniques ---- */

/* Appends the bundle of a fight.yaml (3.0.1; https://fight.mitre.org/): techniques as
 * attack-pattern, mitigations as course-of-action, groups, software, campaigns, and how they
 * relate. Ids are UUIDv5 of FiGHT's own, `modified` is the caller's, so the same file gives the
 * same bytes. ERR_SYNTAX with line and column; ERR_INVALID when it is another YAML. */
bool stix_fight_bundle(struct str yaml, struct str modified, struct buf *out,
                       struct err *e) BASE_CHECKED;
/* The same of GSMA MoTIF (FS.57), from the cluster gsma-motif.json of MISP's galaxies: techniques,
 * and which is a part of which. ERR_INVALID, with `at`, when it is another JSON; ERR_LIMIT. */
bool stix_motif_bundle(const struct json *cluster, struct str modified, struct buf *out,
                       struct err *e) BASE_CHECKED;
/* The id of the attack-pattern that stix_fight_bundle makes of a technique, FGT1499. */
#define STIX_TECHNIQUE_ID_TEXT sizeof "attack-pattern--00000000-0000-5000-8000-000000000000"
struct str stix_fight_technique(struct str id, char out[STIX_TECHNIQUE_ID_TEXT]);

#endif
