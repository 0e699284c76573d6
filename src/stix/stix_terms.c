#include <string.h>

#include "stix/stix_terms.h"

/* STIX 2.1 section 10, in its order. Open vocabularies and closed enumerations look alike here; a
 * property's kind says which it is. */
#define TERMS(symbol, name, clause, words) const struct stix_terms symbol = {name, clause, words}

TERMS(stix_account_type_ov, "account-type-ov", "10.1",
      "facebook ldap nis openid radius skype tacacs twitter unix windows-local windows-domain");
TERMS(stix_attack_motivation_ov, "attack-motivation-ov", "10.2",
      "accidental coercion dominance ideology notoriety organizational-gain personal-gain "
      "personal-satisfaction revenge unpredictable");
TERMS(stix_attack_resource_level_ov, "attack-resource-level-ov", "10.3",
      "individual club contest team organization government");
TERMS(stix_encryption_algorithm_enum, "encryption-algorithm-enum", "10.4",
      "AES-256-GCM ChaCha20-Poly1305 mime-type-indicated");
TERMS(stix_extension_type_enum, "extension-type-enum", "10.5",
      "new-sdo new-sco new-sro property-extension toplevel-property-extension");
TERMS(stix_grouping_context_ov, "grouping-context-ov", "10.6",
      "suspicious-activity malware-analysis unspecified");
TERMS(stix_identity_class_ov, "identity-class-ov", "10.8",
      "individual group system organization class unknown");
TERMS(stix_implementation_language_ov, "implementation-language-ov", "10.9",
      "applescript bash c c++ c# go java javascript lua objective-c perl php powershell python "
      "ruby rust scala swift typescript visual-basic x86-32 x86-64");
TERMS(stix_indicator_type_ov, "indicator-type-ov", "10.10",
      "anomalous-activity anonymization benign compromised malicious-activity attribution unknown");
TERMS(stix_industry_sector_ov, "industry-sector-ov", "10.11",
      "agriculture aerospace automotive chemical commercial communications construction defense "
      "education energy entertainment financial-services government emergency-services "
      "government-emergency-services government-local government-national "
      "government-public-services government-regional healthcare hospitality-leisure "
      "infrastructure dams nuclear water infrastructure-dams infrastructure-nuclear "
      "infrastructure-water insurance legal manufacturing mining non-profit pharmaceuticals "
      "retail technology telecommunications transportation utilities");
TERMS(stix_infrastructure_type_ov, "infrastructure-type-ov", "10.12",
      "amplification anonymization botnet command-and-control control-system exfiltration "
      "firewall hosting-malware hosting-target-lists phishing reconnaissance routers-switches "
      "staging workstation undefined unknown");
TERMS(stix_malware_capabilities_ov, "malware-capabilities-ov", "10.13",
      "accesses-remote-machines anti-debugging anti-disassembly anti-emulation "
      "anti-memory-forensics anti-sandbox anti-vm captures-input-peripherals "
      "captures-output-peripherals captures-system-state-data cleans-traces-of-infection "
      "commits-fraud communicates-with-c2 compromises-data-availability "
      "compromises-data-integrity compromises-system-availability controls-local-machine "
      "degrades-security-software degrades-system-updates determines-c2-server emails-spam "
      "escalates-privileges evades-av exfiltrates-data fingerprints-host hides-artifacts "
      "hides-executing-code infects-files infects-remote-machines installs-other-components "
      "persists-after-system-reboot prevents-artifact-access prevents-artifact-deletion "
      "probes-network-environment self-modifies steals-authentication-credentials "
      "violates-system-operational-integrity");
TERMS(stix_malware_result_ov, "malware-result-ov", "10.14", "malicious suspicious benign unknown");
TERMS(stix_malware_type_ov, "malware-type-ov", "10.15",
      "adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger ransomware "
      "remote-access-trojan resource-exploitation rogue-security-software rootkit "
      "screen-capture spyware trojan unknown virus webshell wiper worm");
TERMS(stix_socket_address_family_enum, "network-socket-address-family-enum", "10.16",
      "AF_UNSPEC AF_INET AF_IPX AF_APPLETALK AF_NETBIOS AF_INET6 AF_IRDA AF_BTH");
TERMS(stix_socket_type_enum, "network-socket-type-enum", "10.17",
      "SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET");
TERMS(stix_opinion_enum, "opinion-enum", "10.18",
      "strongly-disagree disagree neutral agree strongly-agree");
TERMS(stix_pattern_type_ov, "pattern-type-ov", "10.19", "stix pcre sigma snort suricata yara");
TERMS(stix_processor_architecture_ov, "processor-architecture-ov", "10.20",
      "alpha arm ia-64 mips powerpc sparc x86 x86-64");
TERMS(stix_region_ov, "region-ov", "10.21",
      "africa eastern-africa middle-africa northern-africa southern-africa western-africa "
      "americas caribbean central-america latin-america-caribbean northern-america south-america "
      "asia central-asia eastern-asia southern-asia south-eastern-asia western-asia "
      "europe eastern-europe northern-europe southern-europe western-europe "
      "oceania antarctica australia-new-zealand melanesia micronesia polynesia");
TERMS(stix_report_type_ov, "report-type-ov", "10.22",
      "attack-pattern campaign identity indicator intrusion-set malware observed-data "
      "threat-actor threat-report tool vulnerability");
TERMS(stix_threat_actor_type_ov, "threat-actor-type-ov", "10.23",
      "activist competitor crime-syndicate criminal hacker insider-accidental "
      "insider-disgruntled nation-state sensationalist spy terrorist unknown");
TERMS(stix_threat_actor_role_ov, "threat-actor-role-ov", "10.24",
      "agent director independent infrastructure-architect infrastructure-operator "
      "malware-author sponsor");
TERMS(stix_threat_actor_sophistication_ov, "threat-actor-sophistication-ov", "10.25",
      "none minimal intermediate advanced expert innovator strategic");
TERMS(stix_tool_type_ov, "tool-type-ov", "10.26",
      "denial-of-service exploitation information-gathering network-capture "
      "credential-exploitation remote-access vulnerability-scanning unknown");
TERMS(stix_windows_integrity_level_enum, "windows-integrity-level-enum", "10.27",
      "low medium high system");
TERMS(stix_windows_pebinary_type_ov, "windows-pebinary-type-ov", "10.28", "dll exe sys");
TERMS(stix_windows_registry_datatype_enum, "windows-registry-datatype-enum", "10.29",
      "REG_NONE REG_SZ REG_EXPAND_SZ REG_BINARY REG_DWORD REG_DWORD_BIG_ENDIAN "
      "REG_DWORD_LITTLE_ENDIAN REG_LINK REG_MULTI_SZ REG_RESOURCE_LIST "
      "REG_FULL_RESOURCE_DESCRIPTION REG_RESOURCE_REQUIREMENTS_LIST REG_QWORD REG_INVALID_TYPE");
TERMS(stix_windows_service_start_type_enum, "windows-service-start-type-enum", "10.30",
      "SERVICE_AUTO_START SERVICE_BOOT_START SERVICE_DEMAND_START SERVICE_DISABLED "
      "SERVICE_SYSTEM_ALERT");
TERMS(stix_windows_service_type_enum, "windows-service-type-enum", "10.31",
      "SERVICE_KERNEL_DRIVER SERVICE_FILE_SYSTEM_DRIVER SERVICE_WIN32_OWN_PROCESS "
      "SERVICE_WIN32_SHARE_PROCESS");
TERMS(stix_windows_service_status_enum, "windows-service-status-enum", "10.32",
      "SERVICE_CONTINUE_PENDING SERVICE_PAUSE_PENDING SERVICE_PAUSED SERVICE_RUNNING "
      "SERVICE_START_PENDING SERVICE_STOP_PENDING SERVICE_STOPPED");

bool stix_word_in(const char *list, struct str word)
{
    for (const char *p = list; *p != '\0';) {
        size_t n = strcspn(p, " ");
        if (n == word.n && memcmp(p, word.p, n) == 0)
            return true;
        p += n;
        p += *p == ' ';
    }
    return false;
}
