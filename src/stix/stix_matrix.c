/* What the bundles of all matrices have in common. */
#include <string.h>

#include "stix/matrix_priv.h"

void matrix_open(struct matrix *m, const char *name)
{
    char bundle[CRYPT_UUID_TEXT];
    crypt_uuid5(m->ns, STR("bundle"), bundle);
    buf_printf(m->out, "{\"type\":\"bundle\",\"id\":\"bundle--%s\",\"objects\":[", bundle);
    matrix_begin(m, "identity", STR("identity"));
    json_put_member(m->out, "name", str_of(name));
    json_put_member(m->out, "identity_class", STR("organization"));
    matrix_end(m);
}

void matrix_close(struct matrix *m)
{
    buf_lit(m->out, "]}");
}

void matrix_put_id(struct matrix *m, const char *member, const char *type, struct str name)
{
    char uuid[CRYPT_UUID_TEXT];
    crypt_uuid5(m->ns, name, uuid);
    json_put_name(m->out, member);
    buf_printf(m->out, "\"%s--%s\"", type, uuid);
}

void matrix_begin(struct matrix *m, const char *type, struct str name)
{
    buf_lit(m->out, m->objects++ ? ",{" : "{");
    json_put_member(m->out, "type", str_of(type));
    json_put_member(m->out, "spec_version", STR("2.1"));
    matrix_put_id(m, "id", type, name);
    if (strcmp(type, "identity") != 0)
        matrix_put_id(m, "created_by_ref", "identity", STR("identity"));
    json_put_member(m->out, "created", str_of(m->created));
    json_put_member(m->out, "modified", m->modified);
    json_put_name(m->out, "object_marking_refs");
    buf_byte(m->out, '[');
    json_put_string(m->out, stix_tlp_id(STIX_TLP_CLEAR));
    buf_byte(m->out, ']');
}

void matrix_end(struct matrix *m)
{
    buf_byte(m->out, '}');
}

void matrix_put_text(struct matrix *m, const char *member, struct str s)
{
    struct buf plain;
    buf_init(&plain, 0);
    for (size_t i = 0; i < s.n; i++) {
        bool tag = s.p[i] == '<' && i + 1 < s.n &&
                   (s.p[i + 1] == '/' || (s.p[i + 1] >= 'a' && s.p[i + 1] <= 'z'));
        const char *close = tag ? memchr(s.p + i, '>', s.n - i) : NULL;
        if (close)
            i = (size_t)(close - s.p);
        else
            buf_byte(&plain, s.p[i]);
    }
    struct str trimmed = str_trim(buf_view(&plain));
    if (trimmed.n)
        json_put_member(m->out, member, trimmed);
    m->out->failed = m->out->failed ? m->out->failed : plain.failed;
    buf_done(&plain);
}

void matrix_put_phase(struct matrix *m, struct str tactic)
{
    buf_byte(m->out, '{');
    json_put_member(m->out, "kill_chain_name", str_of(m->kill_chain));
    json_put_name(m->out, "phase_name");
    buf_byte(m->out, '"');
    for (size_t i = 0; i < tactic.n; i++) {
        char c = tactic.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        buf_byte(m->out, letter ? (char)(c | 0x20) : '-');
    }
    buf_lit(m->out, "\"}");
}

void matrix_relate(struct matrix *m, const struct matrix_relation *r)
{
    struct buf name;
    buf_init(&name, LIMIT_PATH_BYTES);
    buf_printf(&name, "%.*s %s %.*s", STR_FMT(r->source), r->how, STR_FMT(r->target));
    if (r->before)
        buf_printf(&name, " %zu", r->before + 1);
    matrix_begin(m, "relationship", buf_view(&name));
    json_put_member(m->out, "relationship_type", str_of(r->how));
    matrix_put_id(m, "source_ref", r->source_type, r->source);
    matrix_put_id(m, "target_ref", r->target_type, r->target);
    matrix_put_text(m, "description", r->why);
    matrix_end(m);
    buf_done(&name);
}
