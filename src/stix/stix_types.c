#include "stix/stix_priv.h"

/* STIX 2.1 sections 4 to 8, sorted by name for the search. */
static const struct {
    struct str name;
    enum stix_class class;
} types[] = {
    {STIX_LIT("artifact"), STIX_SCO},
    {STIX_LIT("attack-pattern"), STIX_SDO},
    {STIX_LIT("autonomous-system"), STIX_SCO},
    {STIX_LIT("bundle"), STIX_BUNDLE},
    {STIX_LIT("campaign"), STIX_SDO},
    {STIX_LIT("course-of-action"), STIX_SDO},
    {STIX_LIT("directory"), STIX_SCO},
    {STIX_LIT("domain-name"), STIX_SCO},
    {STIX_LIT("email-addr"), STIX_SCO},
    {STIX_LIT("email-message"), STIX_SCO},
    {STIX_LIT("extension-definition"), STIX_META},
    {STIX_LIT("file"), STIX_SCO},
    {STIX_LIT("grouping"), STIX_SDO},
    {STIX_LIT("identity"), STIX_SDO},
    {STIX_LIT("incident"), STIX_SDO},
    {STIX_LIT("indicator"), STIX_SDO},
    {STIX_LIT("infrastructure"), STIX_SDO},
    {STIX_LIT("intrusion-set"), STIX_SDO},
    {STIX_LIT("ipv4-addr"), STIX_SCO},
    {STIX_LIT("ipv6-addr"), STIX_SCO},
    {STIX_LIT("language-content"), STIX_META},
    {STIX_LIT("location"), STIX_SDO},
    {STIX_LIT("mac-addr"), STIX_SCO},
    {STIX_LIT("malware"), STIX_SDO},
    {STIX_LIT("malware-analysis"), STIX_SDO},
    {STIX_LIT("marking-definition"), STIX_META},
    {STIX_LIT("mutex"), STIX_SCO},
    {STIX_LIT("network-traffic"), STIX_SCO},
    {STIX_LIT("note"), STIX_SDO},
    {STIX_LIT("observed-data"), STIX_SDO},
    {STIX_LIT("opinion"), STIX_SDO},
    {STIX_LIT("process"), STIX_SCO},
    {STIX_LIT("relationship"), STIX_SRO},
    {STIX_LIT("report"), STIX_SDO},
    {STIX_LIT("sighting"), STIX_SRO},
    {STIX_LIT("software"), STIX_SCO},
    {STIX_LIT("threat-actor"), STIX_SDO},
    {STIX_LIT("tool"), STIX_SDO},
    {STIX_LIT("url"), STIX_SCO},
    {STIX_LIT("user-account"), STIX_SCO},
    {STIX_LIT("vulnerability"), STIX_SDO},
    {STIX_LIT("windows-registry-key"), STIX_SCO},
    {STIX_LIT("x509-certificate"), STIX_SCO},
};

enum stix_class stix_class_of(struct str type)
{
    size_t low = 0, high = sizeof(types) / sizeof(types[0]);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = str_cmp(type, types[mid].name);
        if (order == 0)
            return types[mid].class;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return STIX_UNKNOWN;
}
