/*
 * Each rule of the check, in rows: an object (with ' for ", so that it can be read here) and the
 * finding it must give. NULL: no error. A row that names a warning must have no error either.
 */
#include "test.h"

#include "json/json.h"
#include "stix/stix.h"
#include "stix/stix_priv.h"

#define UUID        "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
#define OTHER       "0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"
#define TIMES       "'created':'2020-01-01T00:00:00.000Z','modified':'2020-01-01T00:00:00.000Z'"
#define OF(type)    "'type':'" type "','spec_version':'2.1','id':'" type "--" UUID "'"
#define SDO(type)   "{" OF(type) "," TIMES
#define SCO(type)   "{" OF(type)
#define MARK        "{" OF("marking-definition") ",'created':'2020-01-01T00:00:00.000Z'"
#define NAMED(type) SDO(type) ",'name':'x'"
#define INDICATOR                                                                                  \
    SDO("indicator") ",'name':'n','description':'d','valid_from':'2020-01-01T00:00:00Z'"
#define IPV4      "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"
#define EXTENSION "extension-definition--d83fce45-ef58-4c6c-a3f4-1fbc32e98c6e"
#define GREEN_1   "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
#define RED_2     "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
#define TLP_2     "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

struct row {
    const char *json;
    const char *rule; /* NULL: no error */
    const char *path; /* NULL: not looked at */
};

static const struct row rows[] = {
    /* 2: values */
    {SCO("artifact") ",'payload_bin':'AAA='}", NULL, NULL},
    {SCO("artifact") ",'payload_bin':'AA='}", "stix21-2.1-base64", "$.payload_bin"},
    {NAMED("malware") ",'is_family':'true'}", "stix21-2.2-boolean", "$.is_family"},
    {SCO("network-traffic") ",'src_ref':'" IPV4 "','protocols':['ip'],'ipfix':{}}",
     "stix21-2.3-empty-dictionary", "$.ipfix"},
    {SCO("network-traffic") ",'src_ref':'" IPV4 "','protocols':['ip'],'ipfix':{'a b':1}}",
     "stix21-2.3-key", "$.ipfix['a b']"},
    {SCO("network-traffic") ",'src_ref':'" IPV4 "','protocols':['ip'],'ipfix':{'a':[]}}",
     "stix21-6.12-dictionary-value", "$.ipfix.a"},
    {NAMED("tool") ",'external_references':[{'source_name':'x'}]}",
     "stix21-2.5-external-reference-content", "$.external_references[0]"},
    {NAMED("tool") ",'external_references':[{'external_id':'x'}]}",
     "stix21-2.5-required-source_name", "$.external_references[0]"},
    {NAMED("tool") ",'external_references':[{'source_name':'cve','external_id':'CVE-20-1'}]}",
     "stix21-2.5-external-id", "$.external_references[0].external_id"},
    {NAMED("tool") ",'external_references':[{'source_name':'CVE','external_id':'CVE-2020-0001'}]}",
     "stix21-2.5-source-name", "$.external_references[0].source_name"},
    {NAMED("tool") ",'external_references':[{'source_name':'capec','external_id':'CAPEC-1'}]}",
     NULL, NULL},
    {NAMED("tool") ",'external_references':[{'source_name':'capec','external_id':'1'}]}",
     "stix21-2.5-external-id", NULL},
    {NAMED("tool") ",'external_references':[{'source_name':'cve','description':'x'}]}",
     "stix21-2.5-external-id", "$.external_references[0].source_name"},
    {NAMED("tool") ",'external_references':[{'source_name':'NVD','external_id':'CVE-2020-0001'}]}",
     "stix21-2.5-source-name", "$.external_references[0].source_name"},
    {NAMED("tool") ",'external_references':[{'source_name':'x','external_id':'CAPEC-1'}]}",
     "stix21-2.5-source-name", NULL},
    {NAMED("tool") ",'external_references':[{'source_name':'x','url':'https://a.example/'}]}",
     "stix21-2.5-url-without-hashes", NULL},
    {SDO("location") ",'region':'asia','latitude':'1','longitude':2}", "stix21-2.6-float",
     "$.latitude"},
    {SDO("location") ",'latitude':91.5,'longitude':2}", "stix21-4.10-range", "$.latitude"},
    {SCO("file") ",'hashes':{'MD5':'00'}}", "stix21-10.7-hash-value", "$.hashes.MD5"},
    {SCO("file") ",'hashes':{'SHA-1':'0123456789abcdef0123456789ABCDEF01234567'}}", NULL, NULL},
    {SCO("file") ",'hashes':{'sha1':'x'}}", "stix21-10.7-hash-algorithm-ov", "$.hashes.sha1"},
    {SCO("file") ",'hashes':{'SSDEEP':'3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C'}}", NULL, NULL},
    {SCO("file") ",'hashes':{'SSDEEP':'AXGBicFlgVNhBGcL6wCrFQEv'}}", "stix21-10.7-hash-value",
     NULL},
    {SCO("file") ",'hashes':{'ab':'x'}}", "stix21-2.7-key", "$.hashes.ab"},
    {SCO("file") ",'name':'x','magic_number_hex':'abc'}", "stix21-2.8-hex", "$.magic_number_hex"},
    {SCO("file") ",'name':'x','magic_number_hex':'AB'}", "stix21-2.8-hex-case", NULL},
    {"{'type':'tool','spec_version':'2.1','id':'thing--" UUID "'," TIMES ",'name':'x'}",
     "stix21-2.9-id-type", "$.id"},
    {"{'type':'tool','spec_version':'2.1','id':'tool--8e2e2d2b-17d4-7cbf-938f-98ee46b3cd3f'," TIMES
     ",'name':'x'}",
     "stix21-2.9-identifier", "$.id"},
    {"{'type':'tool','spec_version':'2.1','id':'tool--8e2e2d2b-17d4-1cbf-938f-98ee46b3cd3f'," TIMES
     ",'name':'x'}",
     "stix21-2.9-uuid-version", "$.id"},
    {"{'type':'tool','spec_version':'2.1','id':'tool--8E2e2d2b-17d4-4cbf-938f-98ee46b3cd3f'," TIMES
     ",'name':'x'}",
     "stix21-2.9-uuid-case", "$.id"},
    {SCO("autonomous-system") ",'number':1.5}", "stix21-2.10-integer", "$.number"},
    {SCO("autonomous-system") ",'number':9007199254740992}", "stix21-2.10-integer-range", NULL},
    {SCO("autonomous-system") ",'number':5.0}", NULL, NULL},
    {NAMED("tool") ",'kill_chain_phases':[{'kill_chain_name':'a'}]}",
     "stix21-2.11-required-phase_name", "$.kill_chain_phases[0]"},
    {NAMED("tool") ",'kill_chain_phases':[{'kill_chain_name':'a','phase_name':'A b'}]}",
     "stix21-2.11-lower-case-hyphens", "$.kill_chain_phases[0].phase_name"},
    {NAMED("tool") ",'aliases':[]}", "stix21-2.12-empty-list", "$.aliases"},
    {NAMED("tool") ",'aliases':'x'}", "stix21-2.12-list", "$.aliases"},
    {NAMED("tool") ",'aliases':['x',7]}", "stix21-2.15-string", "$.aliases[1]"},
    {NAMED("campaign") ",'first_seen':'2020-02-30T00:00:00Z'}", "stix21-2.16-timestamp",
     "$.first_seen"},
    {NAMED("campaign") ",'first_seen':'2020-02-03T00:00:00+00:00'}", "stix21-2.16-timestamp", NULL},
    /* 3: common properties and names */
    {NAMED("tool") ",'x-y':1}", "stix21-3.1-property-name", "$['x-y']"},
    {NAMED("tool") ",'ab':1}", "stix21-3.1-property-name", "$.ab"},
    {NAMED("tool") ",'x_Yz':1}", "stix21-3.1-property-name-case", "$.x_Yz"},
    {NAMED("tool") ",'x_y_z':null}", "stix21-3.1-null", "$.x_y_z"},
    {NAMED("tool") ",'x_y_z':[]}", "stix21-2.12-empty-list", "$.x_y_z"},
    {NAMED("tool") ",'x_y_bin':'A'}", "stix21-2.1-base64", "$.x_y_bin"},
    {NAMED("tool") ",'x_y_hex':'0'}", "stix21-2.8-hex", "$.x_y_hex"},
    {NAMED("tool") ",'kill_chain_phases':[{'kill_chain_name':'a','phase_name':'b','id':1}]}", NULL,
     NULL},
    {NAMED("tool") ",'description':null}", "stix21-3.1-null", "$.description"},
    {"{'type':'Tool','spec_version':'2.1','id':'tool--" UUID "'," TIMES ",'name':'x'}",
     "stix21-3.1-type-name", "$.type"},
    {"[{'id':'tool--" UUID "'}]", "stix21-3.2-required-type", "$[0]"},
    {"{" OF("tool") ",'created':'2020-01-01T00:00:00.000Z','name':'x'}",
     "stix21-3.2-required-modified", "$"},
    {"{'type':'tool','id':'tool--" UUID "'," TIMES ",'name':'x'}",
     "stix21-3.2-required-spec_version", "$"},
    {"[{'type':'tool','id':'tool--" UUID "'," TIMES ",'name':'x'}]",
     "stix21-3.2-required-spec_version", "$[0]"},
    {"{'type':'tool','spec_version':'2.0','id':'tool--" UUID "'," TIMES ",'name':'x'}",
     "stix21-3.2-spec-version", "$.spec_version"},
    {"{" OF("tool") ",'created':'2020-01-01T00:00:00Z','modified':'2020-01-01T00:00:00.000Z',"
                    "'name':'x'}",
     "stix21-3.2-milliseconds", "$.created"},
    {"{" OF("tool") ",'created':'2020-01-01T00:00:00.001Z','modified':'2020-01-01T00:00:00.000Z',"
                    "'name':'x'}",
     "stix21-3.2-modified-not-before-created", "$.modified"},
    {"{" OF("tool") ",'created':'2020-01-01T00:00:00.000Z','modified':'2020-01-01T00:00:00.00000Z',"
                    "'name':'x'}",
     NULL, NULL},
    {NAMED("tool") ",'confidence':101}", "stix21-4.18-range", "$.confidence"},
    {NAMED("tool") ",'lang':'Klingonese'}", "stix21-4.18-format", "$.lang"},
    {NAMED("tool") ",'lang':'zh-Hant-TW'}", NULL, NULL},
    {NAMED("tool") ",'defanged':true}", "stix21-3.2-not-applicable", "$.defanged"},
    {SCO("mutex") ",'name':'x','labels':['a']}", "stix21-3.2-not-applicable", "$.labels"},
    {SCO("mutex") ",'name':'x','lang':'Klingonese'}", "stix21-6.11-format", "$.lang"},
    {SCO("mutex") ",'name':'x','object_marking_refs':['x']}", "stix21-2.9-identifier", NULL},
    {SCO("process") ",'pid':1}", NULL, NULL},
    {"{'type':'process','id':'process--28bb3599-77cd-5a82-a950-b5bc3caf07c4','pid':1}",
     "stix21-2.9-sco-id-without-content", "$.id"},
    {NAMED("tool") ",'created_by_ref':'tool--" UUID "'}", "stix21-3.2-reference-type",
     "$.created_by_ref"},
    {NAMED("tool") ",'created_by_ref':'x'}", "stix21-2.9-identifier", "$.created_by_ref"},
    {NAMED("tool") ",'object_marking_refs':['tool--" UUID "']}", "stix21-4.18-reference-type",
     "$.object_marking_refs[0]"},
    {NAMED("tool") ",'severity':'high'}", "stix21-3.8-reserved-name", "$.severity"},
    {NAMED("course-of-action") ",'action':'x'}", "stix21-3.8-reserved-name", NULL},
    /* 4: domain objects */
    {SDO("attack-pattern") "}", "stix21-4.1-required-name", "$"},
    {NAMED("campaign") ",'first_seen':'2020-01-02T00:00:00Z','last_seen':'2020-01-01T00:00:00Z'}",
     "stix21-4.2-last-seen-not-before-first-seen", "$.last_seen"},
    {SDO("grouping") ",'context':'unspecified'}", "stix21-4.4-required-object_refs", NULL},
    {SDO("grouping") ",'context':'new','object_refs':['tool--" UUID "']}",
     "stix21-10.6-grouping-context-ov", "$.context"},
    {INDICATOR ",'pattern':'[url:value = \\'x\\']','pattern_type':'stix'}", NULL, NULL},
    {INDICATOR ",'pattern':'[url:value = ','pattern_type':'stix'}", "stix21-9-pattern",
     "$.pattern"},
    {INDICATOR ",'pattern':'[url:value == \\'x\\']','pattern_type':'stix'}",
     "stix21-9-double-equals", "$.pattern"},
    {INDICATOR ",'pattern':'[url:Value = \\'a:B\\']','pattern_type':'stix'}",
     "stix21-9.7-pattern-property-name", "$.pattern"},
    {INDICATOR ",'pattern':'[url:value = \\'x\\'] AND ([url:vA = 1] OR [url:id = 1])',"
               "'pattern_type':'stix'}",
     "stix21-9.7-pattern-property-name", "$.pattern"},
    {INDICATOR ",'pattern':'[file:ab = 1]','pattern_type':'stix'}",
     "stix21-9.7-pattern-property-name", NULL},
    {INDICATOR ",'pattern':'[file:\\'a b\\' = 1]','pattern_type':'stix'}",
     "stix21-9.7-pattern-property-name", NULL},
    {INDICATOR ",'pattern':'[file:name = 1 OR File:name = 1]','pattern_type':'stix'}",
     "stix21-9.7-pattern-type-name", "$.pattern"},
    {INDICATOR ",'pattern':'[a--b:name = 1]','pattern_type':'stix'}",
     "stix21-9.7-pattern-type-name", NULL},
    {INDICATOR ",'pattern':'[file:id = \\'x\\']','pattern_type':'stix'}", NULL, NULL},
    {INDICATOR ",'pattern':'[file:hashes.MD5 = \\'x:Y\\']','pattern_type':'stix'}", NULL, NULL},
    {INDICATOR ",'pattern':'anything','pattern_type':'yara'}", NULL, NULL},
    {INDICATOR ",'pattern':'x','pattern_type':'yara','valid_until':'2020-01-01T00:00:00Z'}",
     "stix21-4.7-valid-until-after-valid-from", "$.valid_until"},
    {SDO("location") ",'name':'x'}", "stix21-4.10-region-country-or-coordinates", "$"},
    {SDO("location") ",'latitude':1}", "stix21-4.10-latitude-needs-longitude", "$.latitude"},
    {SDO("location") ",'region':'asia','precision':1}", "stix21-4.10-precision-needs-latitude",
     NULL},
    {SDO("location") ",'country':'India'}", "stix21-4.10-country-code", "$.country"},
    {SDO("malware") ",'is_family':true}", "stix21-4.11-family-needs-name", "$.is_family"},
    {SDO("malware") ",'is_family':false}", NULL, NULL},
    {NAMED("malware") ",'is_family':true,'sample_refs':['url--" UUID "']}",
     "stix21-4.11-reference-type", "$.sample_refs[0]"},
    {SDO("malware-analysis") ",'product':'p'}", "stix21-4.12-result-or-sco-refs", "$"},
    {SDO("observed-data") ",'first_observed':'2020-01-02T00:00:00Z',"
                          "'last_observed':'2020-01-01T00:00:00Z','number_observed':1,"
                          "'object_refs':['" IPV4 "']}",
     "stix21-4.14-last-observed-not-before-first-observed", "$.last_observed"},
#define OBSERVED                                                                                   \
    SDO("observed-data")                                                                           \
    ",'first_observed':'2020-01-01T00:00:00Z','last_observed':'2020-01-01T00:00:00Z'"
    {OBSERVED ",'number_observed':0,'object_refs':['" IPV4 "']}", "stix21-4.14-range", NULL},
    {OBSERVED ",'number_observed':1}", "stix21-4.14-objects-or-object-refs", NULL},
    {OBSERVED ",'number_observed':1,'object_refs':['tool--" UUID "']}",
     "stix21-4.14-reference-type", NULL},
    {OBSERVED ",'number_observed':1,'object_refs':['relationship--" UUID "']}",
     "stix21-4.14-object-refs-name-an-observable", "$.object_refs"},
    {OBSERVED ",'number_observed':1,'objects':{'0':{'type':'url','value':'http://a/'}}}",
     "stix21-4.14-deprecated-objects", "$.objects"},
    {OBSERVED ",'number_observed':1,'objects':{'0':{'type':'email-message','is_multipart':false,"
              "'from_ref':'1'}}}",
     "stix21-2.13-local-reference", "$.objects.0.from_ref"},
    {OBSERVED ",'number_observed':1,'objects':{'0':{'type':'tool','name':'x'}}}",
     "stix21-2.13-observable-type", NULL},
    {OBSERVED ",'number_observed':1,'objects':{'0':{'type':'url','value':'http://a/'}},"
              "'object_refs':['" IPV4 "']}",
     "stix21-4.14-objects-excludes-object_refs", NULL},
    {SDO("opinion") ",'opinion':'meh','object_refs':['tool--" UUID "']}",
     "stix21-10.18-opinion-enum", "$.opinion"},
    {NAMED("threat-actor") ",'roles':['Boss']}", "stix21-10.24-threat-actor-role-ov", "$.roles[0]"},
/* 5: relationships */
#define RELATION(source, type, target)                                                             \
    SDO("relationship")                                                                            \
    ",'relationship_type':'" type "','source_ref':'" source "--" OTHER "','target_ref':'" target   \
    "--" OTHER "'"
    {RELATION("indicator", "indicates", "malware") "}", NULL, NULL},
    {RELATION("indicator", "Indicates", "malware") "}", "stix21-5.1.2-relationship-type", NULL},
    {RELATION("sighting", "related-to", "malware") "}", "stix21-5.1-reference-type",
     "$.source_ref"},
    {RELATION("malware", "related-to", "extension-definition") "}", "stix21-5.1-reference-type",
     "$.target_ref"},
    {RELATION("malware", "loves", "tool") "}", "stix21-5.1-suggested-type", "$.relationship_type"},
    {RELATION("tool", "uses", "malware") "}", "stix21-5.1-suggested-target", "$.relationship_type"},
    {RELATION("tool", "derived-from", "malware") "}", "stix21-5.1-suggested-target", NULL},
    {RELATION("malware", "uses", "tool") ",'start_time':'2020-01-01T00:00:00Z',"
                                         "'stop_time':'2020-01-01T00:00:00Z'}",
     "stix21-5.1-stop-time-after-start-time", "$.stop_time"},
    {SDO("sighting") ",'sighting_of_ref':'" IPV4 "'}", "stix21-5.2-reference-type", NULL},
    {SDO("sighting") ",'sighting_of_ref':'tool--" UUID "','count':-1}", "stix21-5.2-range", NULL},
    {SDO("sighting") ",'sighting_of_ref':'tool--" UUID "','where_sighted_refs':['tool--" UUID "']}",
     "stix21-5.2-reference-type", "$.where_sighted_refs[0]"},
    /* 6: observables */
    {SCO("artifact") "}", "stix21-6.1-payload-or-url", "$"},
    {SCO("artifact") ",'url':'http://a/'}", "stix21-6.1-url-needs-hashes", "$.url"},
    {SCO("artifact") ",'payload_bin':'','decryption_key':'x'}",
     "stix21-6.1-decryption_key-needs-encryption_algorithm", NULL},
    {SCO("artifact") ",'payload_bin':'','encryption_algorithm':'rot13'}",
     "stix21-10.4-encryption-algorithm-enum", NULL},
    {SCO("artifact") ",'payload_bin':'','mime_type':'bla/bla'}", "stix21-6.1-format",
     "$.mime_type"},
    {SCO("file") ",'name':'x','mime_type':'bla/bla'}", "stix21-6.7-format", "$.mime_type"},
    {SCO("directory") ",'path':'/','path_enc':'windows-1252'}", NULL, NULL},
    {SCO("directory") ",'path':'/','path_enc':'bla.bla'}", "stix21-6.3-format", "$.path_enc"},
    {SCO("domain-name") ",'value':'a..b'}", "stix21-6.4-format", "$.value"},
    {SCO("email-addr") ",'value':'John <j@x.example>'}", "stix21-6.5-format", NULL},
    {SCO("email-message") ",'is_multipart':true,'body':'x'}", "stix21-6.6-multipart-bars-body",
     "$.body"},
    {SCO("email-message") ",'is_multipart':false,'body_multipart':[{'body':'x'}]}",
     "stix21-6.6-single-part-bars-body-multipart", NULL},
    {SCO("email-message") ",'is_multipart':true,'body_multipart':[{'content_type':'x'}]}",
     "stix21-6.6.2-body-or-body-raw-ref", "$.body_multipart[0]"},
    {SCO("file") ",'size':1}", "stix21-6.7-hashes-or-name", NULL},
    {SCO("file") ",'hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427e'},'name_enc':'UTF-8'}",
     "stix21-6.7-name_enc-needs-name", NULL},
    {SCO("file") ",'name':'x','size':-1}", "stix21-6.7-range", "$.size"},
    {SCO("file") ",'name':'x','extensions':{'pdf-ext':{'version':7}}}", "stix21-2.15-string",
     "$.extensions['pdf-ext'].version"},
    {SCO("file") ",'name':'x','extensions':{'windows-pebinary-ext':{'pe_type':'exe'}}}",
     "stix21-6.7.6-some-property", "$.extensions['windows-pebinary-ext']"},
    {SCO("file") ",'name':'x','extensions':{'tcp-ext':{'src_flags_hex':'00'}}}",
     "stix21-6.12.5-extension-type", NULL},
    {SCO("file") ",'name':'x','extensions':{'x-foo-ext':{'a_b':1}}}",
     "stix21-11.3-custom-extension", "$.extensions['x-foo-ext']"},
    {SCO("ipv4-addr") ",'value':'1.2.3'}", "stix21-6.8-format", NULL},
    {SCO("ipv4-addr") ",'value':'10.0.0.0/8'}", NULL, NULL},
    {SCO("ipv6-addr") ",'value':'fe80::1/129'}", "stix21-6.9-format", NULL},
    {SCO("mac-addr") ",'value':'00:00:AB:cd:ef:01'}", "stix21-6.10-format", NULL},
    {SCO("network-traffic") ",'protocols':['tcp']}", "stix21-6.12-source-or-destination", NULL},
    {SCO("network-traffic") ",'protocols':['tcp'],'src_ref':'" IPV4 "','is_active':true,"
                            "'end':'2020-01-01T00:00:00Z'}",
     "stix21-6.12-active-bars-end", "$.end"},
    {SCO("network-traffic") ",'protocols':['tcp'],'src_ref':'" IPV4 "','src_port':65536}",
     "stix21-6.12-range", NULL},
    {SCO("process") "}", "stix21-6.13-some-property", NULL},
    {SCO("process") ",'extensions':{'windows-process-ext':{'aslr_enabled':true}}}", NULL, NULL},
    {SCO("software") ",'name':'x','cpe':'cpe:/a:x:y'}", "stix21-6.14-format", NULL},
    {SCO("software") ",'name':'x','languages':['Python']}", "stix21-6.14-format", "$.languages[0]"},
    {SCO("url") ",'value':'foo'}", "stix21-6.15-format", NULL},
    {SCO("windows-registry-key") ",'key':'HKLM\\\\x'}", "stix21-6.17-truncated-hive", NULL},
    {SCO("windows-registry-key") ",'values':[{'data_type':'REG_X'}]}",
     "stix21-10.29-windows-registry-datatype-enum", "$.values[0].data_type"},
    {SCO("x509-certificate") "}", "stix21-6.18-some-property", NULL},
    /* 7: meta objects */
    {"{" OF("language-content") "," TIMES ",'object_ref':'tool--" UUID "','contents':{'de':{'name':"
                                "'x'}}}",
     NULL, NULL},
    {"{" OF("language-content") "," TIMES ",'object_ref':'tool--" UUID
                                "','contents':{'no!':{'name':"
                                "'x'}}}",
     "stix21-7.1-language-code", "$.contents['no!']"},
    {"{" OF("language-content") "," TIMES ",'object_ref':'tool--" UUID
                                "','contents':{'de':{'name':1}"
                                "}}",
     "stix21-7.1-translation", "$.contents.de.name"},
    {NAMED("tool") ",'granular_markings':[{'selectors':['name'],'marking_ref':'" RED_2 "'}]}", NULL,
     NULL},
    {NAMED("tool") ",'granular_markings':[{'selectors':['name']}]}",
     "stix21-7.2.3-granular-marking-ref-or-lang", "$.granular_markings[0]"},
    {NAMED("tool") ",'granular_markings':[{'selectors':['name'],'lang':'de','marking_ref':'" RED_2
                   "'}]}",
     "stix21-7.2.3-marking_ref-excludes-lang", NULL},
    {NAMED("tool") ",'granular_markings':[{'selectors':['pattern'],'lang':'de'}]}",
     "stix21-7.2.3-selector", "$.granular_markings[0].selectors[0]"},
    {NAMED("tool") ",'object_marking_refs':['" GREEN_1 "','" RED_2 "']}",
     "stix21-7.2-several-tlp-colours", "$.object_marking_refs"},
    {MARK "}", "stix21-7.2.1-definition-or-extension", NULL},
    {MARK ",'definition':{'statement':'x'}}", "stix21-7.2.1-definition-or-extension", NULL},
    {MARK ",'definition_type':'statement'}", "stix21-7.2.1-definition-or-extension", NULL},
    {MARK ",'definition':{'x':'y'},'extensions':{'x-foo-ext':{'rank':5}}}", NULL, NULL},
    {MARK ",'definition_type':'tlp','extensions':{'x-foo-ext':{'rank':5}}}",
     "stix21-7.2.1.4-forged-tlp", NULL},
    {MARK ",'definition_type':'statement','definition':{'statement':'x'}}", NULL, NULL},
    {MARK ",'definition_type':'statement','definition':{'text':'x'}}", "stix21-7.2.1.3-statement",
     "$.definition"},
    {MARK ",'definition_type':'tlp','definition':{'tlp':'green'}}", "stix21-7.2.1.4-forged-tlp",
     NULL},
    {"{'type':'marking-definition','spec_version':'2.1','id':'" GREEN_1
     "','created':'2017-01-20T00:00:00.000Z','definition_type':'tlp','definition':{'tlp':'green'}}",
     "stix21-7.2.1.4-forged-tlp", NULL},
    {"[{'type':'marking-definition','id':'" GREEN_1
     "','created':'2017-01-20T00:00:00.000Z','definition_type':'tlp','definition':{'tlp':'green'}}"
     "]",
     NULL, NULL},
    {"{'type':'marking-definition','spec_version':'2.1','id':'" GREEN_1
     "','created':'2017-01-20T00:00:00.000Z','definition_type':'tlp','name':'TLP:GREEN',"
     "'definition':{'tlp':'green'}}",
     NULL, NULL},
    {"{'type':'marking-definition','spec_version':'2.1','id':'" GREEN_1
     "','created':'2017-01-20T00:00:00.000Z','definition_type':'tlp','name':'TLP:GREEN',"
     "'definition':{'tlp':'white'}}",
     "stix21-7.2.1.4-forged-tlp", NULL},
    {"{'type':'marking-definition','spec_version':'2.1','id':'" GREEN_1
     "','created':'2020-01-20T00:00:00.000Z','definition_type':'statement',"
     "'definition':{'statement':'white'}}",
     "stix21-7.2.1.4-tlp-id-reused", NULL},
    {"{'type':'marking-definition','spec_version':'2.1','id':'" RED_2
     "','created':'2022-10-01T00:00:00.000Z','name':'TLP:RED','extensions':{'" TLP_2
     "':{'extension_type':'property-extension','tlp_2_0':'red'}}}",
     NULL, NULL},
    {"{'type':'marking-definition','spec_version':'2.1','id':'marking-definition--" UUID
     "','created':'2022-10-01T00:00:00.000Z','name':'TLP:RED','extensions':{'" TLP_2
     "':{'extension_type':'property-extension','tlp_2_0':'red'}}}",
     "stix21-7.2.1.4-forged-tlp", NULL},
    {MARK ",'definition_type':'statement','definition':{'statement':'x'},'object_marking_refs':["
          "'marking-definition--" UUID "']}",
     "stix21-3.2-marking-cycle", NULL},
#define DEFINITION                                                                                 \
    NAMED("extension-definition")                                                                  \
    ",'description':'d','schema':'s','version':'1','created_by_ref':'identity--" UUID "'"
    {DEFINITION ",'extension_types':['new-sdo']}", NULL, NULL},
    {NAMED("extension-definition") ",'schema':'s','version':'1','extension_types':['new-sdo']}",
     "stix21-3.2-required-created_by_ref", NULL},
    {DEFINITION ",'extension_types':['new-thing']}", "stix21-10.5-extension-type-enum",
     "$.extension_types[0]"},
    {DEFINITION ",'extension_types':['new-sdo'],'extension_properties':['a_b']}",
     "stix21-7.3-extension-properties", "$.extension_properties"},
    {NAMED("tool") ",'extensions':{'" EXTENSION "':{'rank':5}}}", "stix21-10.5-extension-type-enum",
     "$.extensions['" EXTENSION "']"},
    {NAMED("tool") ",'extensions':{'" EXTENSION
                   "':{'extension_type':'property-extension','rank':5}}}",
     NULL, NULL},
    {NAMED("tool") ",'extensions':{'" EXTENSION "':'x'}}", "stix21-3.2-extension-content", NULL},
    {NAMED("tool") ",'extensions':{'" EXTENSION "':{'extension_type':'property-extension','a':5}}}",
     "stix21-3.1-property-name", "$.extensions['" EXTENSION "'].a"},
    {NAMED("tool") ",'extensions':{'" EXTENSION
                   "':{'extension_type':'property-extension','id':[]}}}",
     "stix21-2.12-empty-list", "$.extensions['" EXTENSION "'].id"},
    {NAMED("tool") ",'extensions':{'foo':{'rank':5}}}", "stix21-11.3-extension-key",
     "$.extensions.foo"},
    {DEFINITION ",'extension_types':['new-sdo'],'extensions':{'x-foo-ext':{'rank':5}}}",
     "stix21-3.2-not-applicable", "$.extensions"},
    /* 11: custom */
    {NAMED("tool") ",'x_rank':5}", "stix21-11.1-custom-property", "$.x_rank"},
    {NAMED("x-thing") "}", "stix21-11.2-custom-object", "$.type"},
    {"{" OF("x-thing") ",'value':'x','extensions':{'" EXTENSION "':{'extension_type':'new-sco'}}}",
     NULL, NULL},
    {"[3]", "stix21-3-object", "$[0]"},
    {"7", "stix21-8-container", NULL},
};

struct seen {
    const char *rule, *path;
    size_t errors, warnings;
    bool rule_seen, path_right, other_error;
    char text[600];
};

static void look(void *ctx, const struct stix_finding *f)
{
    struct seen *s = ctx;
    bool this = s->rule != NULL && strcmp(s->rule, f->rule) == 0;
    *(f->severity == STIX_ERROR ? &s->errors : &s->warnings) += 1;
    s->rule_seen |= this;
    s->path_right |= this && (s->path == NULL || str_eq(f->path, str_of(s->path)));
    if (!this && f->severity == STIX_ERROR)
        s->other_error = true;
    size_t n = strlen(s->text);
    snprintf(s->text + n, sizeof s->text - n, "%s %.*s; ", f->rule, STR_FMT(f->path));
}

static struct json_reader *reader;
static struct arena *arena;

static const struct json *parse(const char *quoted)
{
    const struct json *v = NULL;
    struct err e;
    struct str text = arena_str(arena, str_of(quoted));
    char *p = (char *)(uintptr_t)text.p;
    for (size_t i = 0; i < text.n; i++) {
        if (p[i] == '\\' && i + 1 < text.n && p[i + 1] == '\'')
            p[i++] = ' '; /* that quote stays, inside of a string */
        else if (p[i] == '\'')
            p[i] = '"';
    }
    if (!json_parse(reader, arena, text, false, &v, &e))
        CHECK_ROW(false, "%s: %s", quoted, e.msg);
    return v;
}

static void test_rows(void)
{
    static const struct stix_check_options options = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct seen s = {.rule = r->rule, .path = r->path};
        arena_reset(arena);
        const struct json *v = parse(r->json);
        if (v == NULL)
            continue;
        stix_document_check(v, &options, look, &s);
        CHECK_ROW(r->rule == NULL ? s.errors == 0 : s.rule_seen, "%s: expected %s, got %s", r->json,
                  r->rule ? r->rule : "no error", s.text);
        CHECK_ROW(!s.rule_seen || s.path_right, "%s: expected path %s, got %s", r->json, r->path,
                  s.text);
    }
}

static size_t check_with(const char *json, struct stix_check_options o, struct seen *s)
{
    arena_reset(arena);
    return stix_document_check(parse(json), &o, look, s);
}

static void test_options(void)
{
    static const char brief[] =
        "{" OF("tool") ",'created':'2020-01-01T00:00:00Z','modified':'2020-01-01T00:00:00.000Z',"
                       "'name':'x'}";
    struct seen s = {0};
    CHECK(check_with(brief, (struct stix_check_options){0}, &s) == 1);
    CHECK(check_with(brief, (struct stix_check_options){.tolerate_short_times = true}, &s) == 0);
    CHECK(check_with(NAMED("tool") ",'x_rank':5}", (struct stix_check_options){0}, &s) == 0);
    CHECK(check_with(NAMED("tool") ",'x_rank':5}", (struct stix_check_options){.strict = true},
                     &s) == 1);
}

/* What is an error in one place and a warning in another. */
static void test_severities(void)
{
#define OF_2_0 "{'type':'tool','id':'tool--" UUID "'," TIMES ",'name':'x'}"
    static const struct {
        const char *json;
        size_t errors;
    } table[] = {
        {OF_2_0, 1},
        {"[" OF_2_0 "]", 0},
        {"{'type':'bundle','id':'bundle--" UUID "','objects':[" OF_2_0 "]}", 0},
        {SCO("artifact") ",'payload_bin':'','mime_type':'bla/bla'}", 1},
        {SCO("file") ",'name':'x','mime_type':'bla/bla'}", 0},
        {SCO("network-traffic") ",'src_ref':'0','protocols':['ip']}", 0},
        {SCO("network-traffic") ",'src_ref':'" IPV4 "','protocols':['ip'],'object_marking_refs':"
                                "['0']}",
         1},
        {SCO("mutex") ",'name':'x','lang':'Klingonese'}", 1},
        {"{'type':'mutex','id':'mutex--28bb3599-77cd-5a82-a950-b5bc3caf07c4','name':'x'}", 0},
        {"{'type':'process','id':'process--28bb3599-77cd-5a82-a950-b5bc3caf07c4','pid':1}", 1},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct seen s = {0};
        size_t errors = check_with(table[i].json, (struct stix_check_options){0}, &s);
        CHECK_ROW(errors == table[i].errors, "%s: %zu errors: %s", table[i].json, errors, s.text);
    }
}

/* Findings of one object are cut, its errors are not. */
static void test_many_findings(void)
{
    struct buf b;
    struct seen s = {.rule = "stix21-2.15-too-many-findings"};
    buf_init(&b, 0);
    buf_lit(&b, NAMED("tool") ",'aliases':[1");
    for (int i = 0; i < 500; i++)
        buf_lit(&b, ",1");
    buf_str(&b, STR("]}\0"));
    CHECK(check_with(b.p, (struct stix_check_options){0}, &s) == 501);
    CHECK(s.errors == LIMIT_STIX_FINDINGS && s.rule_seen);
    buf_done(&b);
}

/* A selector walks; many of them on a long list would take for ever. */
static void test_much_work(void)
{
    struct buf b;
    struct seen s = {.rule = "stix21-8-too-much-work"};
    buf_init(&b, 0);
    buf_lit(&b, NAMED("tool") ",'aliases':['a'");
    for (int i = 0; i < 20000; i++)
        buf_lit(&b, ",'a'");
    buf_lit(&b, "],'granular_markings':[{'lang':'de','selectors':['name'");
    for (int i = 0; i < 5000; i++)
        buf_lit(&b, ",'aliases.[19999]'");
    buf_str(&b, STR("]}]}\0"));
    CHECK(check_with(b.p, (struct stix_check_options){0}, &s) == 1);
    CHECK(s.rule_seen);
    buf_done(&b);
}

/* ---- between the objects of a document ---- */

#define BUNDLE(objects) "{'type':'bundle','id':'bundle--" UUID "','objects':[" objects "]}"
#define AT(n)           "'created':'2020-01-01T00:00:00.000Z','modified':'2020-01-0" n "T00:00:00.000Z'"
#define TOOL(n, more)   "{" OF("tool") "," AT(n) ",'name':'x'" more "}"
#define MARKED(uuid, by)                                                                           \
    "{'type':'marking-definition','spec_version':'2.1','id':'marking-definition--" uuid "',"       \
    "'created':'2020-01-01T00:00:00.000Z','definition_type':'statement',"                          \
    "'definition':{'statement':'x'},'object_marking_refs':['marking-definition--" by "']}"
#define THIRD "4478bf48-9af2-4afa-9fc5-7075f6af04af"
#define TRANSLATED(of, more)                                                                       \
    "{'type':'language-content','spec_version':'2.1','id':'language-content--" OTHER "'," TIMES    \
    ",'object_ref':'tool--" UUID "','object_modified':'2020-01-0" of "T00:00:00.000Z',"            \
    "'contents':{'de':{" more "}}}"

static const struct row documents[] = {
    {BUNDLE(TOOL("1", "")), NULL, NULL},
    {"{'objects':[" TOOL("1", "") "],'more':true,'next':'x'}", NULL, NULL},
    {"{'objects':[" TOOL("1", "") "],'more':1}", "taxii21-3.7-more", "$.more"},
    {"[" TOOL("1", "") "]", NULL, NULL},
    {"{'type':'bundle','id':'bundle--" UUID "'}", NULL, NULL},
    {"{'type':'bundle','id':'bundle--" UUID "','objects':[]}", "stix21-2.12-empty-list",
     "$.objects"},
    {"{'type':'bundle','objects':[" TOOL("1", "") "]}", "stix21-3.2-required-id", "$"},
    {BUNDLE(BUNDLE(TOOL("1", ""))), "stix21-8-nested-bundle", "$.objects[0]"},
    {BUNDLE(TOOL("1", "") "," TOOL("1", "")), NULL, NULL},
    {BUNDLE(TOOL("1", "") "," TOOL("1", ",'revoked':false")), NULL, NULL},
    {BUNDLE(TOOL("1", "") "," TOOL("1", ",'description':'y'")), "stix21-3.6-same-version-differs",
     "$.objects[1]"},
    {BUNDLE(TOOL("1", "") "," TOOL("2", ",'description':'y'")), NULL, NULL},
    {BUNDLE(TOOL("2", ",'revoked':true") "," TOOL("1", "")), NULL, NULL},
    {BUNDLE(TOOL("2", ",'revoked':true") "," TOOL("3", "")), "stix21-3.6-version-after-revocation",
     "$.objects[1]"},
    {BUNDLE(TOOL("1", "") "," TOOL("2", ",'created_by_ref':'identity--" UUID "'")),
     "stix21-3.6-creator-changes", "$.objects[1]"},
    {BUNDLE(TOOL("1", "") ",{" OF("tool") ",'created':'2020-01-01T00:00:00.001Z',"
                                          "'modified':'2020-01-02T00:00:00.000Z','name':'x'}"),
     "stix21-3.2-created-changes", "$.objects[1]"},
    {BUNDLE(TOOL("1", ",'created_by_ref':'identity--" UUID "'")), "stix21-3.3-dangling-reference",
     "$.objects[0].created_by_ref"},
    {BUNDLE(TOOL("1", ",'object_marking_refs':['" GREEN_1 "']")), NULL, NULL},
    {BUNDLE(MARKED(UUID, OTHER) "," MARKED(OTHER, THIRD) "," MARKED(THIRD, UUID)),
     "stix21-3.2-marking-cycle", NULL},
    {BUNDLE(TOOL("1", "") "," TRANSLATED("1", "'name':'y'")), NULL, NULL},
    {BUNDLE(TOOL("1", "") "," TRANSLATED("2", "'name':'y'")), "stix21-7.1-object-modified",
     "$.objects[1].object_modified"},
    {BUNDLE(TOOL("1", ",'aliases':['a','b']") "," TRANSLATED("1", "'aliases':['c']")),
     "stix21-7.1-translation-length", "$.objects[1].contents.de.aliases"},
    {BUNDLE(TOOL("1", "") "," TRANSLATED("1", "'name':['y']")), "stix21-7.1-translation-form",
     "$.objects[1].contents.de.name"},
    {"{'other':1}", "stix21-8-container", NULL},
};

static void test_documents(void)
{
    static const struct stix_check_options options = {0};
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        const struct row *r = &documents[i];
        struct seen s = {.rule = r->rule, .path = r->path};
        arena_reset(arena);
        size_t errors = stix_document_check(parse(r->json), &options, look, &s);
        CHECK_ROW(errors == s.errors, "%s", r->json);
        CHECK_ROW(r->rule == NULL ? s.errors == 0 : s.rule_seen, "%s: expected %s, got %s", r->json,
                  r->rule ? r->rule : "no error", s.text);
        CHECK_ROW(!s.rule_seen || s.path_right, "%s: expected path %s, got %s", r->json, r->path,
                  s.text);
    }
}

/* ---- deterministic ids: examples of the text (section 6), those with references as of its
 * first edition, which they were computed from ---- */

static void test_sco_ids(void)
{
    static const char *const good[] = {
        "{'type':'ipv4-addr','id':'ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4',"
        "'value':'198.51.100.3'}",
        "{'type':'directory','id':'directory--0a58d0c1-59e6-5afd-8252-dcd3f13e5622',"
        "'path':'C:\\\\Windows\\\\System32'}",
        "{'type':'file','id':'file--39643577-13b7-5f21-9584-df7e7c33f357','hashes':{'SHA-256':"
        "'ceafbfd424be2ca4a5f0402cae090dda2fb0526cf521b60b60077c0f622b285a'},'parent_directory_ref'"
        ":"
        "'directory--93c0a9b0-520d-545d-9094-1a08ddf46b05','name':'qwerty.dll'}",
        "{'type':'file','id':'file--7d1e3a18-89e7-5bc5-be36-9879f5b7f5c8','hashes':{'SHA-256':"
        "'841a8921140aba50671ebb0770fecc4ee308c4952cfeff8de154ab14eeef4649'},"
        "'name':'qu\xc3\xaary.dll','name_enc':'windows-1252'}",
        "{'type':'email-message','id':'email-message--92fa1bfd-2c62-5a30-8b7c-5b91ea73cf29',"
        "'from_ref':'email-addr--89f52ea8-d6ef-51e9-8fce-6a29236436ed','is_multipart':false,"
        "'date':'1997-11-21T15:55:06.000Z','subject':'Saying Hello'}",
        "{'type':'software','id':'software--710b0b41-d4d0-5d6c-a400-fc9254554ffc','name':'Word',"
        "'cpe':'cpe:2.3:a:microsoft:word:2000:*:*:*:*:*:*:*','version':'2002','vendor':'Microsoft'"
        "}",
        "{'type':'windows-registry-key','id':"
        "'windows-registry-key--f6a11ddf-fa2b-54c8-97ab-e7f28413095a',"
        "'key':'hkey_local_machine\\\\system\\\\bar\\\\foo','values':[{'name':'Foo','data':'qwerty'"
        ","
        "'data_type':'REG_SZ'},{'name':'Bar','data':'42','data_type':'REG_DWORD'}]}",
        "{'type':'x509-certificate','id':'x509-certificate--bf86f034-2390-54d7-8426-d08433db3fbe',"
        "'serial_number':'36:f7:d4:32:f4:ab:70:ea:d3:ce:98:6e:ea:99:93:49:32:0a:b7:06'}",
        "{'type':'user-account','id':'user-account--f94d689e-707d-58c3-b803-c720bb6ed096',"
        "'user_id':'1001','account_login':'jdoe','account_type':'unix'}",
        "{'type':'autonomous-system','id':'autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff'"
        ","
        "'number':15139}",
        "{'type':'mutex','id':'mutex--f93fe911-e545-5239-b9b0-597840d0c871','name':"
        "'__CLEANSWEEP__'}",
        "{'type':'url','id':'url--47c3cf9a-5027-5bf0-997a-017c7edc7c55','value':"
        "'https://example.com/research/index.html'}",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct seen s = {.rule = "stix21-2.9-sco-id-differs"};
        check_with(good[i], (struct stix_check_options){0}, &s);
        CHECK_ROW(!s.rule_seen && s.errors == 0, "%s: %s", good[i], s.text);
    }
    struct seen other = {.rule = "stix21-2.9-sco-id-differs", .path = "$.id"};
    check_with(SCO("mutex") ",'name':'x'}", (struct stix_check_options){0}, &other);
    CHECK(!other.rule_seen); /* version 4: said otherwise */
    check_with("{'type':'mutex','id':'mutex--f93fe911-e545-5239-b9b0-597840d0c871','name':'x'}",
               (struct stix_check_options){0}, &other);
    CHECK(other.rule_seen && other.path_right && other.errors == 0);
}

/* ---- the tables themselves ---- */

static void check_sorted(const struct stix_shape *s)
{
    CHECK_ROW(s->prop_count <= STIX_PROPS_MAX, "%.*s", STR_FMT(s->name));
    for (size_t i = 0; i < s->prop_count; i++) {
        CHECK_ROW(i == 0 || str_cmp(s->props[i - 1].name, s->props[i].name) < 0, "%.*s: %.*s",
                  STR_FMT(s->name), STR_FMT(s->props[i].name));
        CHECK_ROW(stix_value_checks[s->props[i].kind] != NULL, "%.*s", STR_FMT(s->props[i].name));
        if (s->props[i].shape != NULL)
            check_sorted(s->props[i].shape);
    }
}

static void test_tables(void)
{
    static const char types[] =
        "artifact attack-pattern autonomous-system bundle campaign course-of-action directory "
        "domain-name email-addr email-message extension-definition file grouping identity incident "
        "indicator infrastructure intrusion-set ipv4-addr ipv6-addr language-content location "
        "mac-addr malware malware-analysis marking-definition mutex network-traffic note "
        "observed-data opinion process relationship report sighting software threat-actor tool url "
        "user-account vulnerability windows-registry-key x509-certificate";
    static const char extensions[] =
        "archive-ext http-request-ext icmp-ext ntfs-ext pdf-ext raster-image-ext socket-ext "
        "tcp-ext "
        "unix-account-ext windows-pebinary-ext windows-process-ext windows-service-ext";
    struct str rest = str_of(types);
    while (rest.p != NULL) {
        struct str type = str_cut(&rest, ' ');
        const struct stix_shape *s = stix_shape_of(type);
        CHECK_ROW(s != NULL && str_eq(s->name, type), "%.*s", STR_FMT(type));
        if (s != NULL)
            check_sorted(s);
    }
    rest = str_of(extensions);
    while (rest.p != NULL) {
        struct str name = str_cut(&rest, ' ');
        const struct stix_shape *s = stix_shape_of_extension(name);
        CHECK_ROW(s != NULL && str_eq(s->name, name), "%.*s", STR_FMT(name));
        if (s != NULL)
            check_sorted(s);
    }
    for (size_t i = 0; i < stix_common_count; i++)
        CHECK(i == 0 || str_cmp(stix_common_props[i - 1].name, stix_common_props[i].name) < 0);
    CHECK(str_eq(stix_common_props[STIX_COMMON_CREATED].name, STR("created")));
    CHECK(str_eq(stix_common_props[STIX_COMMON_EXTENSIONS].name, STR("extensions")));
    CHECK(str_eq(stix_common_props[STIX_COMMON_MODIFIED].name, STR("modified")));
    CHECK(str_eq(stix_common_props[STIX_COMMON_OBJECT_MARKING_REFS].name,
                 STR("object_marking_refs")));
}

static void test_relations(void)
{
    static const struct {
        const char *source, *type, *target;
        enum stix_suggestion suggestion;
    } table[] = {
        {"attack-pattern", "delivers", "malware", STIX_SUGGESTED},
        {"campaign", "uses", "tool", STIX_SUGGESTED},
        {"course-of-action", "mitigates", "vulnerability", STIX_SUGGESTED},
        {"infrastructure", "consists-of", "file", STIX_SUGGESTED},
        {"infrastructure", "consists-of", "tool", STIX_OTHER_TARGET},
        {"intrusion-set", "owns", "infrastructure", STIX_SUGGESTED},
        {"ipv6-addr", "resolves-to", "mac-addr", STIX_SUGGESTED},
        {"malware", "variant-of", "malware", STIX_SUGGESTED},
        {"malware-analysis", "static-analysis-of", "malware", STIX_SUGGESTED},
        {"threat-actor", "impersonates", "identity", STIX_SUGGESTED},
        {"tool", "uses", "infrastructure", STIX_SUGGESTED},
        {"tool", "related-to", "x-thing", STIX_SUGGESTED},
        {"tool", "duplicate-of", "tool", STIX_SUGGESTED},
        {"tool", "indicates", "tool", STIX_NOT_SUGGESTED},
        {"x-thing", "uses", "tool", STIX_NOT_SUGGESTED},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        CHECK_ROW(stix_relation_suggested(str_of(table[i].source), str_of(table[i].type),
                                          str_of(table[i].target)) == table[i].suggestion,
                  "%s %s %s", table[i].source, table[i].type, table[i].target);
}

int main(void)
{
    reader = json_reader_new();
    arena = arena_new(LIMIT_ARENA_REQUEST_BYTES);
    if (reader == NULL || arena == NULL)
        return 3;
    test_rows();
    test_options();
    test_severities();
    test_many_findings();
    test_much_work();
    test_documents();
    test_sco_ids();
    test_tables();
    test_relations();
    arena_free(arena);
    json_reader_free(reader);
    TEST_END();
}
