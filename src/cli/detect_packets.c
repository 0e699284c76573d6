/* What `setu detect` does with captures and signalling: its options, figures, the list of rules. */
#include <stdio.h>
#include <string.h>

#include "cli/detect_priv.h"
#include "json/json.h"

bool detect_packets_begin(const struct cli *c, struct detect_packets *p, struct err *e)
{
    struct str path = cli_text(c, "5g-config"), key = cli_text(c, "5g-key"), text;
    if (key.n) {
        if (!crypt_key_file(key.p, true, p->key, e))
            return err_prefix(e, "--5g-key");
        p->has_key = true;
    }
    if (!path.n)
        return true;
    if (!file_read(path.p, LIMIT_PACKET_CONFIG_BYTES, &text, e))
        return err_prefix(e, "--5g-config");
    bool ok = packet_config_parse(text, &p->config, e);
    base_free((void *)(uintptr_t)text.p);
    return ok || err_prefix(e, "--5g-config %s", path.p);
}

void detect_packets_end(struct detect_packets *p)
{
    packet_config_free(p->config);
}

const char **detect_packets_order(const struct cli *c, size_t *captures)
{
    const char **all = base_alloc((2 * c->arg_count + 1) * sizeof *all);
    const char **others = all + c->arg_count + 1;
    size_t n = 0, m = 0;
    *captures = 0;
    if (!all)
        return NULL;
    for (size_t i = 0; i < c->arg_count; i++)
        *(sensor_is_capture(c->args[i]) ? &all[n++] : &others[m++]) = c->args[i];
    if (n > 1) {
        *captures = n;
        memcpy(all + n, others, m * sizeof *all);
    } else {
        memcpy(all, c->args, c->arg_count * sizeof *all);
    }
    if (c->arg_count == 0)
        all[0] = "-";
    return all;
}

static void put_share(struct buf *b, const char *what, uint64_t part, uint64_t whole)
{
    if (whole)
        buf_printf(b, "; %s %llu of %llu", what, (unsigned long long)part,
                   (unsigned long long)whole);
}

void detect_packets_tell(struct str input, const struct packet_figures *f)
{
    struct buf b;
    buf_init(&b, 0);
    buf_printf(&b, "%.*s: %llu frames", STR_FMT(input), (unsigned long long)f->frames);
    put_share(&b, "tunnelled packets tied to a session", f->gpdu_joined, f->gpdu);
    put_share(&b, "null ciphering in", f->null_ciphering, f->security_mode);
    put_share(&b, "null-scheme SUCI in", f->null_scheme, f->suci);
    for (unsigned i = 0; i < PACKET_ANOMALIES; i++)
        if (f->anomalies[i])
            buf_printf(&b, "; %s %llu", packet_anomaly_name((enum packet_anomaly)i),
                       (unsigned long long)f->anomalies[i]);
    fprintf(stderr, "%.*s\n", (int)b.n, b.p ? b.p : "");
    buf_done(&b);
}

static void put_rule_json(struct buf *b, const struct packet_rule *r)
{
    buf_byte(b, '{');
    json_put_member(b, "id", str_of(r->id));
    json_put_member(b, "rule", str_of(r->name));
    json_put_member(b, "interface", str_of(r->interface));
    json_put_member(b, "severity", str_of(r->severity));
    json_put_member(b, "technique", str_of(r->technique));
    json_put_member(b, "condition", str_of(r->condition));
    json_put_member(b, "exceptions", str_of(r->exceptions));
    json_put_member(b, "source", str_of(r->source));
    buf_lit(b, "}\n");
}

bool detect_rules_wanted(const struct cli *c)
{
    return cli_flag(c, "5g") && c->arg_count == 1 && strcmp(c->args[0], "rules") == 0 &&
           !file_exists("rules");
}

int detect_rules_print(struct cli *c)
{
    size_t count;
    const struct packet_rule *rules = packet_rules(&count);
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; i < count; i++) {
        const struct packet_rule *r = &rules[i];
        if (cli_flag(c, "json"))
            put_rule_json(&b, r);
        else
            buf_printf(&b, "%s  %s  (%s, %s, FiGHT %s)\n    %s\n    not: %s\n    source: %s\n",
                       r->id, r->name, r->interface, r->severity, r->technique, r->condition,
                       r->exceptions, r->source);
    }
    int status = cli_print(c, &b);
    buf_done(&b);
    return status;
}
