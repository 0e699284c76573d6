#include "stix/stix_priv.h"

/* STIX 2.1 appendix B, in the order of source and type. "@sco" stands for every cyber-observable.
 */
static const struct {
    struct str source, type;
    const char *targets;
} rows[] = {
    {STIX_LIT("attack-pattern"), STIX_LIT("delivers"), "malware"},
    {STIX_LIT("attack-pattern"), STIX_LIT("targets"), "identity location vulnerability"},
    {STIX_LIT("attack-pattern"), STIX_LIT("uses"), "malware tool"},
    {STIX_LIT("campaign"), STIX_LIT("attributed-to"), "intrusion-set threat-actor"},
    {STIX_LIT("campaign"), STIX_LIT("compromises"), "infrastructure"},
    {STIX_LIT("campaign"), STIX_LIT("originates-from"), "location"},
    {STIX_LIT("campaign"), STIX_LIT("targets"), "identity location vulnerability"},
    {STIX_LIT("campaign"), STIX_LIT("uses"), "attack-pattern infrastructure malware tool"},
    {STIX_LIT("course-of-action"), STIX_LIT("investigates"), "indicator"},
    {STIX_LIT("course-of-action"), STIX_LIT("mitigates"),
     "attack-pattern indicator malware tool vulnerability"},
    {STIX_LIT("course-of-action"), STIX_LIT("remediates"), "malware vulnerability"},
    {STIX_LIT("domain-name"), STIX_LIT("resolves-to"), "domain-name ipv4-addr ipv6-addr"},
    {STIX_LIT("identity"), STIX_LIT("located-at"), "location"},
    {STIX_LIT("indicator"), STIX_LIT("based-on"), "observed-data"},
    {STIX_LIT("indicator"), STIX_LIT("indicates"),
     "attack-pattern campaign infrastructure intrusion-set malware threat-actor tool"},
    {STIX_LIT("infrastructure"), STIX_LIT("communicates-with"),
     "infrastructure ipv4-addr ipv6-addr domain-name url"},
    {STIX_LIT("infrastructure"), STIX_LIT("consists-of"), "infrastructure observed-data @sco"},
    {STIX_LIT("infrastructure"), STIX_LIT("controls"), "infrastructure malware"},
    {STIX_LIT("infrastructure"), STIX_LIT("delivers"), "malware"},
    {STIX_LIT("infrastructure"), STIX_LIT("has"), "vulnerability"},
    {STIX_LIT("infrastructure"), STIX_LIT("hosts"), "tool malware"},
    {STIX_LIT("infrastructure"), STIX_LIT("located-at"), "location"},
    {STIX_LIT("infrastructure"), STIX_LIT("uses"), "infrastructure"},
    {STIX_LIT("intrusion-set"), STIX_LIT("attributed-to"), "threat-actor"},
    {STIX_LIT("intrusion-set"), STIX_LIT("compromises"), "infrastructure"},
    {STIX_LIT("intrusion-set"), STIX_LIT("hosts"), "infrastructure"},
    {STIX_LIT("intrusion-set"), STIX_LIT("originates-from"), "location"},
    {STIX_LIT("intrusion-set"), STIX_LIT("owns"), "infrastructure"},
    {STIX_LIT("intrusion-set"), STIX_LIT("targets"), "identity location vulnerability"},
    {STIX_LIT("intrusion-set"), STIX_LIT("uses"), "attack-pattern infrastructure malware tool"},
    {STIX_LIT("ipv4-addr"), STIX_LIT("belongs-to"), "autonomous-system"},
    {STIX_LIT("ipv4-addr"), STIX_LIT("resolves-to"), "mac-addr"},
    {STIX_LIT("ipv6-addr"), STIX_LIT("belongs-to"), "autonomous-system"},
    {STIX_LIT("ipv6-addr"), STIX_LIT("resolves-to"), "mac-addr"},
    {STIX_LIT("malware"), STIX_LIT("authored-by"), "threat-actor intrusion-set"},
    {STIX_LIT("malware"), STIX_LIT("beacons-to"), "infrastructure"},
    {STIX_LIT("malware"), STIX_LIT("communicates-with"), "ipv4-addr ipv6-addr domain-name url"},
    {STIX_LIT("malware"), STIX_LIT("controls"), "malware"},
    {STIX_LIT("malware"), STIX_LIT("downloads"), "malware tool file"},
    {STIX_LIT("malware"), STIX_LIT("drops"), "malware tool file"},
    {STIX_LIT("malware"), STIX_LIT("exfiltrates-to"), "infrastructure"},
    {STIX_LIT("malware"), STIX_LIT("exploits"), "vulnerability"},
    {STIX_LIT("malware"), STIX_LIT("originates-from"), "location"},
    {STIX_LIT("malware"), STIX_LIT("targets"), "identity infrastructure location vulnerability"},
    {STIX_LIT("malware"), STIX_LIT("uses"), "attack-pattern infrastructure malware tool"},
    {STIX_LIT("malware"), STIX_LIT("variant-of"), "malware"},
    {STIX_LIT("malware-analysis"), STIX_LIT("av-analysis-of"), "malware"},
    {STIX_LIT("malware-analysis"), STIX_LIT("characterizes"), "malware"},
    {STIX_LIT("malware-analysis"), STIX_LIT("dynamic-analysis-of"), "malware"},
    {STIX_LIT("malware-analysis"), STIX_LIT("static-analysis-of"), "malware"},
    {STIX_LIT("threat-actor"), STIX_LIT("attributed-to"), "identity"},
    {STIX_LIT("threat-actor"), STIX_LIT("compromises"), "infrastructure"},
    {STIX_LIT("threat-actor"), STIX_LIT("hosts"), "infrastructure"},
    {STIX_LIT("threat-actor"), STIX_LIT("impersonates"), "identity"},
    {STIX_LIT("threat-actor"), STIX_LIT("located-at"), "location"},
    {STIX_LIT("threat-actor"), STIX_LIT("owns"), "infrastructure"},
    {STIX_LIT("threat-actor"), STIX_LIT("targets"), "identity location vulnerability"},
    {STIX_LIT("threat-actor"), STIX_LIT("uses"), "attack-pattern infrastructure malware tool"},
    {STIX_LIT("tool"), STIX_LIT("delivers"), "malware"},
    {STIX_LIT("tool"), STIX_LIT("drops"), "malware"},
    {STIX_LIT("tool"), STIX_LIT("has"), "vulnerability"},
    {STIX_LIT("tool"), STIX_LIT("targets"), "identity infrastructure location vulnerability"},
    {STIX_LIT("tool"), STIX_LIT("uses"), "infrastructure"},
};

static const char *targets_of(struct str source, struct str type)
{
    size_t low = 0, high = sizeof(rows) / sizeof(rows[0]);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = str_cmp(source, rows[mid].source);
        if (order == 0)
            order = str_cmp(type, rows[mid].type);
        if (order == 0)
            return rows[mid].targets;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

enum stix_suggestion stix_relation_suggested(struct str source, struct str relation,
                                             struct str target)
{
    /* §3.7 */
    if (str_eq(relation, STR("related-to")))
        return STIX_SUGGESTED;
    if (str_eq(relation, STR("derived-from")) || str_eq(relation, STR("duplicate-of")))
        return str_eq(source, target) ? STIX_SUGGESTED : STIX_OTHER_TARGET;
    const char *targets = targets_of(source, relation);
    if (targets == NULL)
        return STIX_NOT_SUGGESTED;
    bool listed = stix_word_in(targets, target) ||
                  (stix_word_in(targets, STR("@sco")) && stix_class_of(target) == STIX_SCO);
    return listed ? STIX_SUGGESTED : STIX_OTHER_TARGET;
}
