#include "stix/stix_table.h"

/* STIX 2.1 section 6 as tables: cyber-observable objects and their predefined extensions. */

static const struct stix_prop artifact[] = {
    {P("decryption_key", STRING)},
    {P("encryption_algorithm", ENUM), TERMS(encryption_algorithm_enum)},
    {P("hashes", HASHES)},
    {P("mime_type", MIME)},
    {P("payload_bin", BINARY)},
    {P("url", URL)},
};
static const struct stix_rule artifact_rules[] = {
    {ANY_OF("payload-or-url", "payload_bin url")},
    {EXCLUDES("payload_bin", "url")},
    {NEEDS("url", "hashes")},
    {NEEDS("decryption_key", "encryption_algorithm")},
};

static const struct stix_prop autonomous_system[] = {
    {P("name", STRING)},
    {P("number", INTEGER), REQ},
    {P("rir", STRING)},
};

static const struct stix_prop directory[] = {
    {P("atime", TIMESTAMP)},  {N("contains_refs"), STIX_REF, LIST, TO("directory file")},
    {P("ctime", TIMESTAMP)},  {P("mtime", TIMESTAMP)},
    {P("path", STRING), REQ}, {P("path_enc", CHARSET)},
};

static const struct stix_prop domain_name[] = {
    {P("resolves_to_refs", REF), LIST, TO("domain-name ipv4-addr ipv6-addr")},
    {P("value", DOMAIN), REQ},
};

static const struct stix_prop email_addr[] = {
    {P("belongs_to_ref", REF), TO("user-account")},
    {P("display_name", STRING)},
    {P("value", EMAIL), REQ},
};

static const struct stix_prop email_mime_part_rows[] = {
    {P("body", STRING)},
    {P("body_raw_ref", REF), TO("artifact file")},
    {P("content_disposition", STRING)},
    {P("content_type", STRING)},
};
static const struct stix_rule email_mime_part_rules[] = {
    {ANY_OF("body-or-body-raw-ref", "body body_raw_ref")},
};
static const struct stix_shape email_mime_part = {.name = N("email-mime-part-type"),
                                                  .clause = "6.6.2",
                                                  ROWS(email_mime_part_rows),
                                                  RULES(email_mime_part_rules)};

static const struct stix_prop email_message[] = {
    {P("additional_header_fields", DICTIONARY), .values = "strings"},
    {P("bcc_refs", REF), LIST, TO("email-addr")},
    {P("body", STRING)},
    {P("body_multipart", STRUCT), LIST, SHAPE(email_mime_part)},
    {P("cc_refs", REF), LIST, TO("email-addr")},
    {P("content_type", STRING)},
    {P("date", TIMESTAMP)},
    {P("from_ref", REF), TO("email-addr")},
    {P("is_multipart", BOOLEAN), REQ},
    {P("message_id", STRING)},
    {P("raw_email_ref", REF), TO("artifact")},
    {P("received_lines", STRING), LIST},
    {P("sender_ref", REF), TO("email-addr")},
    {P("subject", STRING)},
    {P("to_refs", REF), LIST, TO("email-addr")},
};
static const struct stix_rule email_message_rules[] = {
    {STIX_RULE_TRUE_BARS, "multipart-bars-body", N("is_multipart"), N("body")},
    {STIX_RULE_FALSE_BARS, "single-part-bars-body-multipart", N("is_multipart"),
     N("body_multipart")},
};

static const struct stix_prop file[] = {
    {P("atime", TIMESTAMP)},
    {P("contains_refs", REF), LIST, TO_SCO},
    {P("content_ref", REF), TO("artifact")},
    {P("ctime", TIMESTAMP)},
    {P("hashes", HASHES)},
    {P("magic_number_hex", HEX)},
    {P("mime_type", MIME), .flags = STIX_ADVISED},
    {P("mtime", TIMESTAMP)},
    {P("name", STRING)},
    {P("name_enc", CHARSET)},
    {P("parent_directory_ref", REF), TO("directory")},
    {P("size", INTEGER), SIZE},
};
static const struct stix_rule file_rules[] = {
    {ANY_OF("hashes-or-name", "hashes name")},
    {NEEDS("name_enc", "name")},
};
static const struct stix_rule directory_rules[] = {
    {NEEDS("path_enc", "path")},
};

static const struct stix_prop ipv4_addr[] = {
    {P("belongs_to_refs", REF), LIST, TO("autonomous-system")},
    {P("resolves_to_refs", REF), LIST, TO("mac-addr")},
    {P("value", IPV4), REQ},
};

static const struct stix_prop ipv6_addr[] = {
    {P("belongs_to_refs", REF), LIST, TO("autonomous-system")},
    {P("resolves_to_refs", REF), LIST, TO("mac-addr")},
    {P("value", IPV6), REQ},
};

static const struct stix_prop mac_addr[] = {{P("value", MAC), REQ}};
static const struct stix_prop mutex[] = {{P("name", STRING), REQ}};
static const struct stix_prop url[] = {{P("value", URL), REQ}};

#define PEER "domain-name ipv4-addr ipv6-addr mac-addr"
static const struct stix_prop network_traffic[] = {
    {P("dst_byte_count", INTEGER), SIZE},
    {P("dst_packets", INTEGER), SIZE},
    {P("dst_payload_ref", REF), TO("artifact")},
    {P("dst_port", INTEGER), .low = 0, .high = 65535},
    {P("dst_ref", REF), TO(PEER)},
    {P("encapsulated_by_ref", REF), TO("network-traffic")},
    {P("encapsulates_refs", REF), LIST, TO("network-traffic")},
    {P("end", TIMESTAMP)},
    {P("ipfix", DICTIONARY), .values = "integer string"},
    {P("is_active", BOOLEAN)},
    {P("protocols", STRING), REQ_LIST},
    {P("src_byte_count", INTEGER), SIZE},
    {P("src_packets", INTEGER), SIZE},
    {P("src_payload_ref", REF), TO("artifact")},
    {P("src_port", INTEGER), .low = 0, .high = 65535},
    {P("src_ref", REF), TO(PEER)},
    {P("start", TIMESTAMP)},
};
static const struct stix_rule network_traffic_rules[] = {
    {ANY_OF("source-or-destination", "src_ref dst_ref")},
    {NOT_BEFORE("end-not-before-start", "start", "end")},
    {STIX_RULE_TRUE_BARS, "active-bars-end", N("is_active"), N("end")},
    {SHOULD("should-have-src-port", "src_port")},
    {SHOULD("should-have-dst-port", "dst_port")},
};

static const struct stix_prop process[] = {
    {P("child_refs", REF), LIST, TO("process")},
    {P("command_line", STRING)},
    {P("created_time", TIMESTAMP)},
    {P("creator_user_ref", REF), TO("user-account")},
    {P("cwd", STRING)},
    {P("environment_variables", DICTIONARY), .values = "string"},
    {P("image_ref", REF), TO("file")},
    {P("is_hidden", BOOLEAN)},
    {P("opened_connection_refs", REF), LIST, TO("network-traffic")},
    {P("parent_ref", REF), TO("process")},
    {P("pid", INTEGER)},
};
static const struct stix_rule some_rules[] = {{SOME("")}};

static const struct stix_prop software[] = {
    {P("cpe", CPE)},          {N("languages"), STIX_LANGUAGE, LIST},
    {P("name", STRING), REQ}, {P("swid", STRING)},
    {P("vendor", STRING)},    {P("version", STRING)},
};

static const struct stix_prop user_account[] = {
    {P("account_created", TIMESTAMP)},
    {P("account_expires", TIMESTAMP)},
    {P("account_first_login", TIMESTAMP)},
    {P("account_last_login", TIMESTAMP)},
    {P("account_login", STRING)},
    {P("account_type", VOCABULARY), TERMS(account_type_ov)},
    {P("can_escalate_privs", BOOLEAN)},
    {P("credential", STRING)},
    {P("credential_last_changed", TIMESTAMP)},
    {P("display_name", STRING)},
    {P("is_disabled", BOOLEAN)},
    {P("is_privileged", BOOLEAN)},
    {P("is_service_account", BOOLEAN)},
    {P("user_id", STRING)},
};

static const struct stix_prop registry_value_rows[] = {
    {P("data", STRING)},
    {P("data_type", ENUM), TERMS(windows_registry_datatype_enum)},
    {P("name", STRING)},
};
static const struct stix_shape registry_value = {.name = N("windows-registry-value-type"),
                                                 .clause = "6.17.2",
                                                 ROWS(registry_value_rows),
                                                 RULES(some_rules)};

static const struct stix_prop windows_registry_key[] = {
    {P("creator_user_ref", REF), TO("user-account")},
    {P("key", HIVE)},
    {P("modified_time", TIMESTAMP)},
    {P("number_of_subkeys", INTEGER)},
    {P("values", STRUCT), LIST, SHAPE(registry_value)},
};

static const struct stix_prop x509_v3_extensions_rows[] = {
    {P("authority_key_identifier", STRING)},
    {P("basic_constraints", STRING)},
    {P("certificate_policies", STRING)},
    {P("crl_distribution_points", STRING)},
    {P("extended_key_usage", STRING)},
    {P("inhibit_any_policy", STRING)},
    {P("issuer_alternative_name", STRING)},
    {P("key_usage", STRING)},
    {P("name_constraints", STRING)},
    {P("policy_constraints", STRING)},
    {P("policy_mappings", STRING)},
    {P("private_key_usage_period_not_after", TIMESTAMP)},
    {P("private_key_usage_period_not_before", TIMESTAMP)},
    {P("subject_alternative_name", STRING)},
    {P("subject_directory_attributes", STRING)},
    {P("subject_key_identifier", STRING)},
};
static const struct stix_shape x509_v3_extensions = {.name = N("x509-v3-extensions-type"),
                                                     .clause = "6.18.2",
                                                     ROWS(x509_v3_extensions_rows),
                                                     RULES(some_rules)};

static const struct stix_prop x509_certificate[] = {
    {P("hashes", HASHES)},
    {P("is_self_signed", BOOLEAN)},
    {P("issuer", STRING)},
    {P("serial_number", STRING)},
    {P("signature_algorithm", STRING)},
    {P("subject", STRING)},
    {P("subject_public_key_algorithm", STRING)},
    {P("subject_public_key_exponent", INTEGER)},
    {P("subject_public_key_modulus", STRING)},
    {P("validity_not_after", TIMESTAMP)},
    {P("validity_not_before", TIMESTAMP)},
    {P("version", STRING)},
    {P("x509_v3_extensions", STRUCT), SHAPE(x509_v3_extensions)},
};

/* ---- predefined extensions ---- */

static const struct stix_prop archive_ext[] = {
    {P("comment", STRING)},
    {P("contains_refs", REF), REQ_LIST, TO("directory file")},
};

static const struct stix_prop http_request_ext[] = {
    {P("message_body_data_ref", REF), TO("artifact")},
    {P("message_body_length", INTEGER)},
    {P("request_header", DICTIONARY), .values = "strings"},
    {P("request_method", STRING), REQ},
    {P("request_value", STRING), REQ},
    {P("request_version", STRING)},
};

static const struct stix_prop icmp_ext[] = {
    {P("icmp_code_hex", HEX), REQ},
    {P("icmp_type_hex", HEX), REQ},
};

static const struct stix_prop alternate_data_stream_rows[] = {
    {P("hashes", HASHES)},
    {P("name", STRING), REQ},
    {P("size", INTEGER), SIZE},
};
static const struct stix_shape alternate_data_stream = {
    .name = N("alternate-data-stream-type"), .clause = "6.7.3", ROWS(alternate_data_stream_rows)};

static const struct stix_prop ntfs_ext[] = {
    {P("alternate_data_streams", STRUCT), LIST, SHAPE(alternate_data_stream)},
    {P("sid", STRING)},
};

static const struct stix_prop pdf_ext[] = {
    {P("document_info_dict", DICTIONARY), .values = "string"},
    {P("is_optimized", BOOLEAN)},
    {P("pdfid0", STRING)},
    {P("pdfid1", STRING)},
    {P("version", STRING)},
};

static const struct stix_prop raster_image_ext[] = {
    {P("bits_per_pixel", INTEGER)},
    {P("exif_tags", DICTIONARY), .values = "integer string"},
    {P("image_height", INTEGER)},
    {P("image_width", INTEGER)},
};

static const struct stix_prop socket_ext[] = {
    {P("address_family", ENUM), REQ, TERMS(socket_address_family_enum)},
    {P("is_blocking", BOOLEAN)},
    {P("is_listening", BOOLEAN)},
    {P("options", DICTIONARY), .values = "integer"},
    {P("socket_descriptor", INTEGER), SIZE},
    {P("socket_handle", INTEGER)},
    {P("socket_type", ENUM), TERMS(socket_type_enum)},
};

static const struct stix_prop tcp_ext[] = {
    {P("dst_flags_hex", HEX)},
    {P("src_flags_hex", HEX)},
};

static const struct stix_prop unix_account_ext[] = {
    {P("gid", INTEGER)},
    {P("groups", STRING), LIST},
    {P("home_dir", STRING)},
    {P("shell", STRING)},
};

static const struct stix_prop pe_optional_header_rows[] = {
    {P("address_of_entry_point", INTEGER)},
    {P("base_of_code", INTEGER)},
    {P("base_of_data", INTEGER)},
    {P("checksum_hex", HEX)},
    {P("dll_characteristics_hex", HEX)},
    {P("file_alignment", INTEGER)},
    {P("hashes", HASHES)},
    {P("image_base", INTEGER)},
    {P("loader_flags_hex", HEX)},
    {P("magic_hex", HEX)},
    {P("major_image_version", INTEGER)},
    {P("major_linker_version", INTEGER)},
    {P("major_os_version", INTEGER)},
    {P("major_subsystem_version", INTEGER)},
    {P("minor_image_version", INTEGER)},
    {P("minor_linker_version", INTEGER)},
    {P("minor_os_version", INTEGER)},
    {P("minor_subsystem_version", INTEGER)},
    {P("number_of_rva_and_sizes", INTEGER)},
    {P("section_alignment", INTEGER)},
    {P("size_of_code", INTEGER), SIZE},
    {P("size_of_headers", INTEGER), SIZE},
    {P("size_of_heap_commit", INTEGER), SIZE},
    {P("size_of_heap_reserve", INTEGER), SIZE},
    {P("size_of_image", INTEGER), SIZE},
    {P("size_of_initialized_data", INTEGER), SIZE},
    {P("size_of_stack_commit", INTEGER), SIZE},
    {P("size_of_stack_reserve", INTEGER), SIZE},
    {P("size_of_uninitialized_data", INTEGER), SIZE},
    {P("subsystem_hex", HEX)},
    {P("win32_version_value_hex", HEX)},
};
static const struct stix_shape pe_optional_header = {.name = N("windows-pe-optional-header-type"),
                                                     .clause = "6.7.6",
                                                     ROWS(pe_optional_header_rows),
                                                     RULES(some_rules)};

static const struct stix_prop pe_section_rows[] = {
    {P("entropy", FLOAT)},
    {P("hashes", HASHES)},
    {P("name", STRING), REQ},
    {P("size", INTEGER), SIZE},
};
static const struct stix_shape pe_section = {
    .name = N("windows-pe-section-type"), .clause = "6.7.6", ROWS(pe_section_rows)};

static const struct stix_prop windows_pebinary_ext[] = {
    {P("characteristics_hex", HEX)},
    {P("file_header_hashes", HASHES)},
    {P("imphash", STRING)},
    {P("machine_hex", HEX)},
    {P("number_of_sections", INTEGER), SIZE},
    {P("number_of_symbols", INTEGER), SIZE},
    {P("optional_header", STRUCT), SHAPE(pe_optional_header)},
    {P("pe_type", VOCABULARY), REQ, TERMS(windows_pebinary_type_ov)},
    {P("pointer_to_symbol_table_hex", HEX)},
    {P("sections", STRUCT), LIST, SHAPE(pe_section)},
    {P("size_of_optional_header", INTEGER), SIZE},
    {P("time_date_stamp", TIMESTAMP)},
};
static const struct stix_rule windows_pebinary_rules[] = {{SOME("pe_type")}};

static const struct stix_prop windows_process_ext[] = {
    {P("aslr_enabled", BOOLEAN)},
    {P("dep_enabled", BOOLEAN)},
    {P("integrity_level", ENUM), TERMS(windows_integrity_level_enum)},
    {P("owner_sid", STRING)},
    {P("priority", STRING)},
    {P("startup_info", DICTIONARY)},
    {P("window_title", STRING)},
    {P("windows_title", STRING)},
};

static const struct stix_prop windows_service_ext[] = {
    {P("descriptions", STRING), LIST},
    {P("display_name", STRING)},
    {P("group_name", STRING)},
    {P("service_dll_refs", REF), LIST, TO("file")},
    {P("service_name", STRING)},
    {P("service_status", ENUM), TERMS(windows_service_status_enum)},
    {P("service_type", ENUM), TERMS(windows_service_type_enum)},
    {P("start_type", ENUM), TERMS(windows_service_start_type_enum)},
};

/* ---- the types, sorted by name ---- */

static const struct stix_shape shapes[] = {
    {SCO("artifact", "6.1", artifact, "hashes payload_bin"), RULES(artifact_rules)},
    {SCO("autonomous-system", "6.2", autonomous_system, "number")},
    {SCO("directory", "6.3", directory, "path"), RULES(directory_rules)},
    {SCO("domain-name", "6.4", domain_name, "value")},
    {SCO("email-addr", "6.5", email_addr, "value")},
    {SCO("email-message", "6.6", email_message, "from_ref subject body"),
     RULES(email_message_rules)},
    {SCO("file", "6.7", file, "hashes name extensions parent_directory_ref"), RULES(file_rules)},
    {SCO("ipv4-addr", "6.8", ipv4_addr, "value")},
    {SCO("ipv6-addr", "6.9", ipv6_addr, "value")},
    {SCO("mac-addr", "6.10", mac_addr, "value")},
    {SCO("mutex", "6.11", mutex, "name")},
    {SCO("network-traffic", "6.12", network_traffic,
         "start end src_ref dst_ref src_port dst_port protocols extensions"),
     RULES(network_traffic_rules)},
    {SCO("process", "6.13", process, ""), RULES(some_rules)},
    {SCO("software", "6.14", software, "name cpe swid vendor version")},
    {SCO("url", "6.15", url, "value")},
    {SCO("user-account", "6.16", user_account, "account_type user_id account_login"),
     RULES(some_rules)},
    {SCO("windows-registry-key", "6.17", windows_registry_key, "key values"), RULES(some_rules)},
    {SCO("x509-certificate", "6.18", x509_certificate, "hashes serial_number"), RULES(some_rules)},
};

static const struct stix_shape extensions[] = {
    {EXT("archive-ext", "6.7.2", archive_ext, "file")},
    {EXT("http-request-ext", "6.12.2", http_request_ext, "network-traffic")},
    {EXT("icmp-ext", "6.12.3", icmp_ext, "network-traffic")},
    {EXT("ntfs-ext", "6.7.3", ntfs_ext, "file"), RULES(some_rules)},
    {EXT("pdf-ext", "6.7.4", pdf_ext, "file"), RULES(some_rules)},
    {EXT("raster-image-ext", "6.7.5", raster_image_ext, "file"), RULES(some_rules)},
    {EXT("socket-ext", "6.12.4", socket_ext, "network-traffic")},
    {EXT("tcp-ext", "6.12.5", tcp_ext, "network-traffic"), RULES(some_rules)},
    {EXT("unix-account-ext", "6.16.2", unix_account_ext, "user-account"), RULES(some_rules)},
    {EXT("windows-pebinary-ext", "6.7.6", windows_pebinary_ext, "file"),
     RULES(windows_pebinary_rules)},
    {EXT("windows-process-ext", "6.13.2", windows_process_ext, "process"), RULES(some_rules)},
    {EXT("windows-service-ext", "6.13.3", windows_service_ext, "process"), RULES(some_rules)},
};

const struct stix_shape *stix_shape_of_sco(struct str type)
{
    return stix_shape_search(shapes, sizeof(shapes) / sizeof(shapes[0]), type);
}

const struct stix_shape *stix_shape_of_extension(struct str name)
{
    return stix_shape_search(extensions, sizeof(extensions) / sizeof(extensions[0]), name);
}
