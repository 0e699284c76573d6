/* The vocabularies and enumerations of STIX 2.1 section 10, for the rows of stix_types.c. */
#ifndef STIX_STIX_TERMS_H
#define STIX_STIX_TERMS_H

#include "stix/stix_priv.h"

extern const struct stix_terms stix_account_type_ov, stix_attack_motivation_ov,
    stix_attack_resource_level_ov, stix_encryption_algorithm_enum, stix_extension_type_enum,
    stix_grouping_context_ov, stix_identity_class_ov, stix_implementation_language_ov,
    stix_indicator_type_ov, stix_industry_sector_ov, stix_infrastructure_type_ov,
    stix_malware_capabilities_ov, stix_malware_result_ov, stix_malware_type_ov,
    stix_socket_address_family_enum, stix_socket_type_enum, stix_opinion_enum, stix_pattern_type_ov,
    stix_processor_architecture_ov, stix_region_ov, stix_report_type_ov, stix_threat_actor_type_ov,
    stix_threat_actor_role_ov, stix_threat_actor_sophistication_ov, stix_tool_type_ov,
    stix_windows_integrity_level_enum, stix_windows_pebinary_type_ov,
    stix_windows_registry_datatype_enum, stix_windows_service_start_type_enum,
    stix_windows_service_type_enum, stix_windows_service_status_enum;

#endif
