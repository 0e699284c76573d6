/*
 * Shared by the halves of comparing store and ledger: what the store has is asked for among the
 * records (agree_ask.c), and the records are looked at one by one (ledger_agree.c).
 */
#ifndef EXCHANGE_AGREE_PRIV_H
#define EXCHANGE_AGREE_PRIV_H

#include "exchange/audit_priv.h"
#include "exchange/gate_priv.h"

/* What an object is, by its number in the store. */
struct is {
    int64_t object;
    uint64_t of; /* fingerprint: id, version, digest */
};

/* A release row, by the leaf that it names. */
struct row {
    uint32_t object;               /* its place in the list, or behind it */
    uint32_t audience, collection; /* audience 0: there is no row */
};

/* A release that not all of its readers have any more: withdrawals must say so. */
struct owed {
    uint64_t of; /* fingerprint: id, version, collection */
    uint64_t leaf;
    uint32_t audience; /* those who lost it and are not accounted for */
    uint32_t next;     /* of the same place in `heads`, 0: none */
};

/* Leaves that wait for what explains them. */
struct gone {
    struct gone_one {
        uint64_t leaf;
        uint64_t of, of_any; /* fingerprints of what explains it */
        uint64_t is, is_any; /* … and of what is there after all */
    } * list;
    size_t count, room;
};

struct agree {
    struct audit *a;
    struct audit_audiences to;
    struct audit_set wanted;
    unsigned char key[CRYPT_NAME_KEY_BYTES];
    struct exchange_collection *collections;
    size_t collection_count;
    struct arena *arena;
    struct org {
        int64_t id;
        struct str text; /* NATION/name, as records have it */
    } * orgs;
    size_t org_count, org_room;
    struct is *objects; /* in order of their numbers */
    size_t object_count, object_room;
    struct row *rows; /* of the chunk */
    uint64_t base, end;
    struct owed *owed; /* from 1 on */
    size_t owed_count, owed_room;
    uint32_t heads[1 << 16];
    struct bare {
        uint64_t leaf;
        struct row row;
    } * bare; /* release rows whose record is erased */
    size_t bare_count, bare_room;
    struct audit_set reached;      /* erased leaves with the audiences that they were released to */
    struct gone gone;              /* acceptances whose object is not there from them */
    struct audit_set withdrawn;    /* … those, by id and version: marked where one followed */
    struct gone kept;              /* withdrawals from some who have it, or had no release of it */
    struct gone erased;            /* leaves */
    struct audit_set erasures;     /* leaves + 1 that records of erasures name */
    struct audit_set forgotten;    /* what the erased records were the word for */
    char policy[LEDGER_HEX_BYTES]; /* that the last policy-change put in force */
    bool has_policy, failed;
};

/* A keyed hash of texts as records have them; nobody outside can make two of one. */
uint64_t agree_mark(const struct agree *g, char kind, const struct str *parts, size_t count);
uint64_t agree_mark_of_key(const struct agree *g, const struct audit_key *k);
/* By a digest under the node's key, 64 bits of it: as erasures have it. */
uint64_t agree_forgotten_as(const struct agree *g, const struct audit_key *k);
uint64_t agree_number_of_hex(struct str digest);
/* The place of a collection in the list; behind it: there is no such one. */
uint32_t agree_collection(const struct agree *g, int64_t collection);
struct str agree_uuid(const struct agree *g, uint32_t place);

/* Asks for all that the store has, and keeps what its objects are. */
bool agree_ask(struct agree *g) BASE_CHECKED;
/* Tells what was asked for and neither found nor erased. */
bool agree_report_missing(struct agree *g) BASE_CHECKED;

#endif
