#include "stix/stix_table.h"

/* STIX 2.1 sections 2 to 5, 7 and 8 as tables (section 6: stix_sco.c): every object type and every
 * type inside one. A row is a property: name, kind of value, and what else binds it. Rows are
 * sorted by name. What rows cannot say stands in rules of several properties, and what those cannot
 * say in a function of stix_special.c. */

/* ---- section 2: types of values ---- */

static const struct stix_prop external_reference_rows[] = {
    {P("description", STRING)},
    {P("external_id", STRING)},
    {P("hashes", HASHES)},
    {P("source_name", STRING), REQ},
    {P("url", URL)},
};
static const struct stix_rule external_reference_rules[] = {
    {ANY_OF("external-reference-content", "description url external_id")},
};
static const struct stix_shape external_reference = {
    .name = N("external-reference"),
    .clause = "2.5",
    ROWS(external_reference_rows),
    RULES(external_reference_rules),
    .special = stix_special_external_reference,
};

static const struct stix_prop kill_chain_phase_rows[] = {
    {P("kill_chain_name", LOWER), REQ},
    {P("phase_name", LOWER), REQ},
};
static const struct stix_shape kill_chain_phase = {
    .name = N("kill-chain-phase"), .clause = "2.11", ROWS(kill_chain_phase_rows)};

static const struct stix_prop granular_marking_rows[] = {
    {P("lang", LANGUAGE)},
    {P("marking_ref", REF), TO("marking-definition")},
    {P("selectors", SELECTOR), REQ_LIST},
};
static const struct stix_rule granular_marking_rules[] = {
    {ANY_OF("granular-marking-ref-or-lang", "lang marking_ref")},
    {EXCLUDES("marking_ref", "lang")},
};
static const struct stix_shape granular_marking = {.name = N("granular-marking"),
                                                   .clause = "7.2.3",
                                                   ROWS(granular_marking_rows),
                                                   RULES(granular_marking_rules)};

/* ---- section 3.2: common properties, and which sets of types have them ---- */

enum {
    CORE = STIX_IN_SDO | STIX_IN_SRO | STIX_IN_CUSTOM,
    VERSIONED = CORE | STIX_IN_EXTENSION_DEFINITION | STIX_IN_LANGUAGE_CONTENT,
    CREATED = VERSIONED | STIX_IN_MARKING_DEFINITION,
    OBJECTS = CREATED | STIX_IN_SCO,
    ALL = OBJECTS | STIX_IN_BUNDLE_OBJECT
};

const struct stix_prop stix_common_props[] = {
    {P("confidence", INTEGER), .low = 0, .high = 100, .on = CORE | STIX_IN_LANGUAGE_CONTENT},
    {P("created", CREATED), .on = CREATED, .required_on = CREATED},
    {P("created_by_ref", REF), TO("identity"), .on = CREATED,
     .required_on = STIX_IN_EXTENSION_DEFINITION},
    {P("defanged", BOOLEAN), .on = STIX_IN_SCO},
    {P("extensions", EXTENSIONS),
     .on = (OBJECTS | STIX_IN_OBSERVABLE) & ~STIX_IN_EXTENSION_DEFINITION},
    {P("external_references", STRUCT), LIST, SHAPE(external_reference), .on = CREATED},
    {P("granular_markings", STRUCT), LIST, SHAPE(granular_marking), .on = OBJECTS},
    {P("id", OBJECT_ID), .on = ALL, .required_on = ALL},
    {P("labels", STRING), LIST, .on = VERSIONED},
    {P("lang", LANGUAGE), .on = CORE},
    {P("modified", CREATED), .on = VERSIONED, .required_on = VERSIONED},
    {P("object_marking_refs", REF), LIST, TO("marking-definition"), .on = OBJECTS},
    {P("revoked", BOOLEAN), .on = VERSIONED},
    {P("spec_version", SPEC_VERSION), .on = OBJECTS, .required_on = CREATED},
    {P("type", TYPE), .on = ALL | STIX_IN_OBSERVABLE, .required_on = ALL | STIX_IN_OBSERVABLE},
};
const size_t stix_common_count = sizeof(stix_common_props) / sizeof(stix_common_props[0]);

/* ---- section 4: domain objects ---- */

static const struct stix_rule seen_rules[] = {
    {NOT_BEFORE("last-seen-not-before-first-seen", "first_seen", "last_seen")},
};

static const struct stix_prop attack_pattern[] = {
    {P("aliases", STRING), LIST},
    {P("description", STRING)},
    {P("kill_chain_phases", STRUCT), LIST, SHAPE(kill_chain_phase)},
    {P("name", STRING), REQ},
};

static const struct stix_prop campaign[] = {
    {P("aliases", STRING), LIST}, {P("description", STRING)}, {P("first_seen", TIMESTAMP)},
    {P("last_seen", TIMESTAMP)},  {P("name", STRING), REQ},   {P("objective", STRING)},
};

static const struct stix_prop named[] = {
    /* course-of-action, incident, vulnerability */
    {P("description", STRING)},
    {P("name", STRING), REQ},
};

static const struct stix_prop grouping[] = {
    {P("context", VOCABULARY), REQ, TERMS(grouping_context_ov)},
    {P("description", STRING)},
    {P("name", STRING)},
    {P("object_refs", REF), REQ_LIST},
};

static const struct stix_prop identity[] = {
    {P("contact_information", STRING)},
    {P("description", STRING)},
    {P("identity_class", VOCABULARY), TERMS(identity_class_ov)},
    {P("name", STRING), REQ},
    {P("roles", STRING), LIST},
    {P("sectors", VOCABULARY), LIST, TERMS(industry_sector_ov)},
};

static const struct stix_prop indicator[] = {
    {P("description", STRING)},
    {P("indicator_types", VOCABULARY), LIST, TERMS(indicator_type_ov)},
    {P("kill_chain_phases", STRUCT), LIST, SHAPE(kill_chain_phase)},
    {P("name", STRING)},
    {P("pattern", STRING), REQ},
    {P("pattern_type", VOCABULARY), REQ, TERMS(pattern_type_ov)},
    {P("pattern_version", STRING)},
    {P("valid_from", TIMESTAMP), REQ},
    {P("valid_until", TIMESTAMP)},
};
static const struct stix_rule indicator_rules[] = {
    {AFTER("valid-until-after-valid-from", "valid_from", "valid_until")},
    {SHOULD("should-have-name", "name")},
    {SHOULD("should-have-description", "description")},
};

static const struct stix_prop infrastructure[] = {
    {P("aliases", STRING), LIST},
    {P("description", STRING)},
    {P("first_seen", TIMESTAMP)},
    {P("infrastructure_types", VOCABULARY), LIST, TERMS(infrastructure_type_ov)},
    {P("kill_chain_phases", STRUCT), LIST, SHAPE(kill_chain_phase)},
    {P("last_seen", TIMESTAMP)},
    {P("name", STRING), REQ},
};

static const struct stix_prop intrusion_set[] = {
    {P("aliases", STRING), LIST},
    {P("description", STRING)},
    {P("first_seen", TIMESTAMP)},
    {P("goals", STRING), LIST},
    {P("last_seen", TIMESTAMP)},
    {P("name", STRING), REQ},
    {P("primary_motivation", VOCABULARY), TERMS(attack_motivation_ov)},
    {P("resource_level", VOCABULARY), TERMS(attack_resource_level_ov)},
    {P("secondary_motivations", VOCABULARY), LIST, TERMS(attack_motivation_ov)},
};

static const struct stix_prop location[] = {
    {P("administrative_area", STRING)},
    {P("city", STRING)},
    {P("country", COUNTRY)},
    {P("description", STRING)},
    {P("latitude", FLOAT), .low = -90, .high = 90},
    {P("longitude", FLOAT), .low = -180, .high = 180},
    {P("name", STRING)},
    {P("postal_code", STRING)},
    {P("precision", FLOAT)},
    {P("region", VOCABULARY), TERMS(region_ov)},
    {P("street_address", STRING)},
};
static const struct stix_rule location_rules[] = {
    {ANY_OF("region-country-or-coordinates", "region country latitude")},
    {NEEDS("latitude", "longitude")},
    {NEEDS("longitude", "latitude")},
    {NEEDS("precision", "latitude")},
};

static const struct stix_prop malware[] = {
    {P("aliases", STRING), LIST},
    {P("architecture_execution_envs", VOCABULARY), LIST, TERMS(processor_architecture_ov)},
    {P("capabilities", VOCABULARY), LIST, TERMS(malware_capabilities_ov)},
    {P("description", STRING)},
    {P("first_seen", TIMESTAMP)},
    {P("implementation_languages", VOCABULARY), LIST, TERMS(implementation_language_ov)},
    {P("is_family", BOOLEAN), REQ},
    {P("kill_chain_phases", STRUCT), LIST, SHAPE(kill_chain_phase)},
    {P("last_seen", TIMESTAMP)},
    {P("malware_types", VOCABULARY), LIST, TERMS(malware_type_ov)},
    {P("name", STRING)},
    {P("operating_system_refs", REF), LIST, TO("software")},
    {P("sample_refs", REF), LIST, TO("artifact file")},
};
static const struct stix_rule malware_rules[] = {
    {NOT_BEFORE("last-seen-not-before-first-seen", "first_seen", "last_seen")},
    {STIX_RULE_TRUE_NEEDS, "family-needs-name", N("is_family"), N("name")},
};

static const struct stix_prop malware_analysis[] = {
    {P("analysis_definition_version", STRING)},
    {P("analysis_ended", TIMESTAMP)},
    {P("analysis_engine_version", STRING)},
    {P("analysis_sco_refs", REF), LIST, TO_SCO},
    {P("analysis_started", TIMESTAMP)},
    {P("configuration_version", STRING)},
    {P("host_vm_ref", REF), TO("software")},
    {P("installed_software_refs", REF), LIST, TO("software")},
    {P("modules", STRING), LIST},
    {P("operating_system_ref", REF), TO("software")},
    {P("product", LOWER), REQ},
    {P("result", VOCABULARY), TERMS(malware_result_ov)},
    {P("result_name", STRING)},
    {P("sample_ref", REF), TO("artifact file network-traffic")},
    {P("submitted", TIMESTAMP)},
    {P("version", STRING)},
};
static const struct stix_rule malware_analysis_rules[] = {
    {ANY_OF("result-or-sco-refs", "result analysis_sco_refs")},
};

static const struct stix_prop note[] = {
    {P("abstract", STRING)},
    {P("authors", STRING), LIST},
    {P("content", STRING), REQ},
    {P("object_refs", REF), REQ_LIST},
};

static const struct stix_prop observed_data[] = {
    {P("first_observed", TIMESTAMP), REQ},
    {P("last_observed", TIMESTAMP), REQ},
    {P("number_observed", INTEGER), REQ, .low = 1, .high = 999999999},
    {P("object_refs", REF), LIST, .to_sets = STIX_IN_SCO | STIX_IN_SRO | STIX_IN_CUSTOM},
    {P("objects", OBSERVABLES), .flags = STIX_DEPRECATED},
};
static const struct stix_rule observed_data_rules[] = {
    {NOT_BEFORE("last-observed-not-before-first-observed", "first_observed", "last_observed")},
    {ANY_OF("objects-or-object-refs", "objects object_refs")},
    {EXCLUDES("objects", "object_refs")},
};

static const struct stix_prop opinion[] = {
    {P("authors", STRING), LIST},
    {P("explanation", STRING)},
    {P("object_refs", REF), REQ_LIST},
    {P("opinion", ENUM), REQ, TERMS(opinion_enum)},
};

static const struct stix_prop report[] = {
    {P("description", STRING)},
    {P("name", STRING), REQ},
    {P("object_refs", REF), REQ_LIST},
    {P("published", TIMESTAMP), REQ},
    {P("report_types", VOCABULARY), LIST, TERMS(report_type_ov)},
};

static const struct stix_prop threat_actor[] = {
    {P("aliases", STRING), LIST},
    {P("description", STRING)},
    {P("first_seen", TIMESTAMP)},
    {P("goals", STRING), LIST},
    {P("last_seen", TIMESTAMP)},
    {P("name", STRING), REQ},
    {P("personal_motivations", VOCABULARY), LIST, TERMS(attack_motivation_ov)},
    {P("primary_motivation", VOCABULARY), TERMS(attack_motivation_ov)},
    {P("resource_level", VOCABULARY), TERMS(attack_resource_level_ov)},
    {P("roles", VOCABULARY), LIST, TERMS(threat_actor_role_ov)},
    {P("secondary_motivations", VOCABULARY), LIST, TERMS(attack_motivation_ov)},
    {P("sophistication", VOCABULARY), TERMS(threat_actor_sophistication_ov)},
    {P("threat_actor_types", VOCABULARY), LIST, TERMS(threat_actor_type_ov)},
};

static const struct stix_prop tool[] = {
    {P("aliases", STRING), LIST},
    {P("description", STRING)},
    {P("kill_chain_phases", STRUCT), LIST, SHAPE(kill_chain_phase)},
    {P("name", STRING), REQ},
    {P("tool_types", VOCABULARY), LIST, TERMS(tool_type_ov)},
    {P("tool_version", STRING)},
};

/* ---- section 5: relationship objects ---- */

static const struct stix_prop relationship[] = {
    {P("description", STRING)},
    {P("relationship_type", RELATION), REQ},
    {P("source_ref", REF), REQ, SDO_OR_SCO},
    {P("start_time", TIMESTAMP)},
    {P("stop_time", TIMESTAMP)},
    {P("target_ref", REF), REQ, SDO_OR_SCO},
};
static const struct stix_rule relationship_rules[] = {
    {AFTER("stop-time-after-start-time", "start_time", "stop_time")},
};

static const struct stix_prop sighting[] = {
    {P("count", INTEGER), .low = 0, .high = 999999999},
    {P("description", STRING)},
    {P("first_seen", TIMESTAMP)},
    {P("last_seen", TIMESTAMP)},
    {P("observed_data_refs", REF), LIST, TO("observed-data")},
    {P("sighting_of_ref", REF), REQ, .to_sets = STIX_IN_SDO | STIX_IN_CUSTOM},
    {P("summary", BOOLEAN)},
    {P("where_sighted_refs", REF), LIST, TO("identity location")},
};

/* ---- sections 7 and 8: meta objects and the bundle ---- */

static const struct stix_prop extension_definition[] = {
    {P("description", STRING)},
    {P("extension_properties", STRING), LIST},
    {P("extension_types", ENUM), REQ_LIST, TERMS(extension_type_enum)},
    {P("name", STRING), REQ},
    {P("schema", STRING), REQ},
    {P("version", STRING), REQ},
};
static const struct stix_rule extension_definition_rules[] = {
    {SHOULD("should-have-description", "description")},
};

static const struct stix_prop language_content[] = {
    {P("contents", CONTENTS), REQ},
    {P("object_modified", TIMESTAMP)},
    {P("object_ref", REF), REQ},
};

static const struct stix_prop marking_definition[] = {
    {P("definition", ANY), .flags = STIX_DEPRECATED},
    {P("definition_type", STRING), .flags = STIX_DEPRECATED},
    {P("name", STRING)},
};
static const struct stix_rule marking_definition_rules[] = {
    {ANY_OF("definition-or-extension", "definition_type extensions")},
    {ANY_OF("definition-or-extension", "definition extensions")},
};

static const struct stix_prop bundle[] = {
    {P("objects", ANY), LIST},
};

/* ---- the types, sorted by name ---- */

static const struct stix_shape shapes[] = {
    {SDO("attack-pattern", "4.1", attack_pattern)},
    {.name = N("bundle"), .clause = "8.1", .set = STIX_IN_BUNDLE_OBJECT, ROWS(bundle)},
    {SDO("campaign", "4.2", campaign), RULES(seen_rules)},
    {SDO("course-of-action", "4.3", named)},
    {.name = N("extension-definition"),
     .clause = "7.3",
     .set = STIX_IN_EXTENSION_DEFINITION,
     ROWS(extension_definition),
     RULES(extension_definition_rules),
     .special = stix_special_extension_definition},
    {SDO("grouping", "4.4", grouping)},
    {SDO("identity", "4.5", identity)},
    {SDO("incident", "4.6", named)},
    {SDO("indicator", "4.7", indicator), RULES(indicator_rules), .special = stix_special_indicator},
    {SDO("infrastructure", "4.8", infrastructure), RULES(seen_rules)},
    {SDO("intrusion-set", "4.9", intrusion_set), RULES(seen_rules)},
    {.name = N("language-content"),
     .clause = "7.1",
     .set = STIX_IN_LANGUAGE_CONTENT,
     ROWS(language_content)},
    {SDO("location", "4.10", location), RULES(location_rules)},
    {SDO("malware", "4.11", malware), RULES(malware_rules)},
    {SDO("malware-analysis", "4.12", malware_analysis), RULES(malware_analysis_rules)},
    {.name = N("marking-definition"),
     .clause = "7.2.1",
     .set = STIX_IN_MARKING_DEFINITION,
     ROWS(marking_definition),
     RULES(marking_definition_rules),
     .special = stix_special_marking},
    {SDO("note", "4.13", note)},
    {SDO("observed-data", "4.14", observed_data), RULES(observed_data_rules),
     .special = stix_special_observed_data},
    {SDO("opinion", "4.15", opinion)},
    {SRO("relationship", "5.1", relationship), RULES(relationship_rules),
     .special = stix_special_relationship},
    {SDO("report", "4.16", report)},
    {SRO("sighting", "5.2", sighting), RULES(seen_rules)},
    {SDO("threat-actor", "4.17", threat_actor), RULES(seen_rules)},
    {SDO("tool", "4.18", tool)},
    {SDO("vulnerability", "4.19", named)},
};

const struct stix_shape *stix_shape_search(const struct stix_shape *table, size_t count,
                                           struct str name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = str_cmp(name, table[mid].name);
        if (order == 0)
            return &table[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const struct stix_shape *stix_shape_of(struct str type)
{
    const struct stix_shape *s =
        stix_shape_search(shapes, sizeof(shapes) / sizeof(shapes[0]), type);
    return s ? s : stix_shape_of_sco(type);
}

enum stix_class stix_class_of(struct str type)
{
    const struct stix_shape *s = stix_shape_of(type);
    if (s == NULL)
        return STIX_UNKNOWN;
    if (s->set == STIX_IN_SDO)
        return STIX_SDO;
    if (s->set == STIX_IN_SRO)
        return STIX_SRO;
    if (s->set == STIX_IN_SCO)
        return STIX_SCO;
    return s->set == STIX_IN_BUNDLE_OBJECT ? STIX_BUNDLE : STIX_META;
}

size_t stix_prop_find(const struct stix_prop *props, size_t count, struct str name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = str_cmp(name, props[mid].name);
        if (order == 0)
            return mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return count;
}
