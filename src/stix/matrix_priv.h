/*
 * A matrix of techniques that is published without identifiers of STIX, on its way to a bundle.
 * Ids are UUIDv5 of the matrix's own in a name space of it, and dates are the matrix's, so that
 * whoever converts the same file gets the same objects, byte by byte.
 */
#ifndef STIX_MATRIX_PRIV_H
#define STIX_MATRIX_PRIV_H

#include "crypt/crypt.h"
#include "stix/stix.h"

struct matrix {
    char ns[CRYPT_UUID_TEXT];
    const char *created; /* of every object */
    struct str modified;
    const char *kill_chain;
    struct buf *out;
    size_t objects;
};
/* The head of the bundle, and the identity that describes the techniques. */
void matrix_open(struct matrix *m, const char *name);
void matrix_close(struct matrix *m);

/* An object, whose id is of this name; matrix_end closes it. */
void matrix_begin(struct matrix *m, const char *type, struct str name);
void matrix_end(struct matrix *m);
/* A member with the id of such an object. */
void matrix_put_id(struct matrix *m, const char *member, const char *type, struct str name);
/* A member, without the anchors of HTML that stand in it; nothing when it is empty then. */
void matrix_put_text(struct matrix *m, const char *member, struct str text);
/* An item of kill_chain_phases: "Defense Evasion" is defense-evasion. */
void matrix_put_phase(struct matrix *m, struct str tactic);

/* Two entries and how they are related, with the words that are said of it. */
struct matrix_relation {
    const char *source_type, *how, *target_type;
    struct str source, target, why;
    size_t before; /* how often the same was related before, in other words */
};
void matrix_relate(struct matrix *m, const struct matrix_relation *r);

#endif
