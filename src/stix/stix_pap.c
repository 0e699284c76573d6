/* The Permissible Actions Protocol: what a recipient may do with an object. */
#include "stix/stix_priv.h"

#define MARKING_PREFIX "marking-definition--"

/* The definitions that OASIS published with extension-definition--f8d78575-edfd-406e-8e84-
 * 6162a8450f5b, and the label that MISP and what exports from it write. */
static const struct {
    enum stix_pap pap;
    struct str id, label;
} published[] = {
#define PAP(pap, uuid, label)                                                                      \
    {                                                                                              \
        pap, {MARKING_PREFIX uuid, sizeof(MARKING_PREFIX uuid) - 1},                               \
        {                                                                                          \
            "pap:" label, sizeof("pap:" label) - 1                                                 \
        }                                                                                          \
    }
    PAP(STIX_PAP_CLEAR, "ad15a0cd-55b6-4588-a14c-a66105329b92", "clear"),
    PAP(STIX_PAP_CLEAR, "a3bea94c-b469-41dc-9cfe-d6e7daba7730", "white"),
    PAP(STIX_PAP_GREEN, "c43594d1-4b11-4c59-93ab-1c9b14d53ce9", "green"),
    PAP(STIX_PAP_AMBER, "60f8932b-e51e-4458-b265-a2e8be9a80ab", "amber"),
    PAP(STIX_PAP_RED, "740d36e5-7714-4c30-961a-3ae632ceee0e", "red"),
#undef PAP
};

static enum stix_pap strictest(const struct json *list, bool labels)
{
    enum stix_pap most = STIX_PAP_NONE;
    for (const struct json *v = json_is(list, JSON_ARRAY) ? list->u.child : NULL; v; v = v->next)
        for (size_t i = 0; i < sizeof published / sizeof *published && v->type == JSON_STRING; i++)
            if (published[i].pap > most &&
                str_eq_nocase(v->u.s, labels ? published[i].label : published[i].id))
                most = published[i].pap;
    return most;
}

enum stix_pap stix_pap_of(const struct json *markings, const struct json *labels)
{
    enum stix_pap marked = strictest(markings, false), labelled = strictest(labels, true);
    return marked > labelled ? marked : labelled;
}
