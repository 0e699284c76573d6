#include "stix/stix.h"

#include <string.h>

#include "stix/stix_priv.h"

/* STIX 2.1 §7.2.1.4 (TLP 1) and FIRST TLP 2.0 in the OASIS common objects. */
#define MARKING_PREFIX "marking-definition--"
static const struct {
    enum stix_tlp tlp;
    struct str id;
} published[STIX_TLP_PUBLISHED] = {
    {STIX_TLP_CLEAR, STIX_LIT(MARKING_PREFIX "94868c89-83c2-464b-929b-a1a8aa3c8487")},
    {STIX_TLP_GREEN, STIX_LIT(MARKING_PREFIX "bab4a63c-aed9-4cf5-a766-dfca5abac2bb")},
    {STIX_TLP_AMBER, STIX_LIT(MARKING_PREFIX "55d920b0-5e8b-4f79-9ee9-91f868d9b421")},
    {STIX_TLP_AMBER_STRICT, STIX_LIT(MARKING_PREFIX "939a9414-2ddd-4d32-a0cd-375ea402b003")},
    {STIX_TLP_RED, STIX_LIT(MARKING_PREFIX "e828b379-4e03-4974-9ac4-e53a884c97c1")},
    {STIX_TLP_CLEAR, STIX_LIT(MARKING_PREFIX "613f2e26-407d-48c7-9eca-b8e91df99dc9")},
    {STIX_TLP_GREEN, STIX_LIT(MARKING_PREFIX "34098fce-860f-48ae-8e50-ebd3cc5e41da")},
    {STIX_TLP_AMBER, STIX_LIT(MARKING_PREFIX "f88d31f6-486f-44da-b317-01333bde0b82")},
    {STIX_TLP_RED, STIX_LIT(MARKING_PREFIX "5e57c739-391a-4eb3-b6be-7d15ca92d5ed")},
};

static const char *const names[STIX_TLP_COUNT] = {"none",  "clear",        "green",
                                                  "amber", "amber+strict", "red"};

const char *stix_tlp_name(enum stix_tlp tlp)
{
    must((unsigned)tlp < STIX_TLP_COUNT);
    return names[tlp];
}

struct str stix_tlp_id(enum stix_tlp tlp)
{
    must((unsigned)tlp < STIX_TLP_COUNT);
    return tlp == STIX_TLP_NONE ? STR_NONE : published[tlp - 1].id;
}

enum stix_tlp stix_tlp_of_id(struct str id)
{
    for (size_t i = 0; i < STIX_TLP_PUBLISHED; i++)
        if (str_eq(id, published[i].id))
            return published[i].tlp;
    return STIX_TLP_NONE;
}

bool stix_tlp_parse(struct str name, enum stix_tlp *out)
{
    enum stix_tlp t = stix_tlp_of_id(name);
    if (t == STIX_TLP_NONE) {
        if (name.n > 4 && str_eq_nocase(str_slice(name, 0, 4), STR("tlp:")))
            name = str_from(name, 4);
        if (str_eq_nocase(name, STR("white")))
            t = STIX_TLP_CLEAR;
        for (int i = STIX_TLP_CLEAR; i < STIX_TLP_COUNT && t == STIX_TLP_NONE; i++)
            if (str_eq_nocase(name, str_of(names[i])))
                t = (enum stix_tlp)i;
    }
    if (t == STIX_TLP_NONE)
        return false;
    *out = t;
    return true;
}
