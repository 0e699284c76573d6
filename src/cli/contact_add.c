#include "cli/requests.h"

static const struct cli_option options[] = {
    {"role", 0, CLI_TEXT, "R", NULL, "technical or diplomatic", 0, 0, false, true},
    {"name", 0, CLI_TEXT, "TEXT", NULL, "what it is called, as \"CERT-In, incident desk\"", 0, 0,
     false, true},
    {"name-in", 0, CLI_TEXT, "LANG=TEXT", NULL, "its name in another language, as ja=TEXT", 0, 0,
     true, false},
    {"org", 0, CLI_TEXT, "WHO", NULL,
     "whose it is: an organisation or an identity's id; the speaker's own if not given", 0, 0,
     false, false},
    {"nation", 0, CLI_TEXT, "CC", NULL, "its nation; the speaker's own if not given", 0, 0, false,
     false},
    {"email", 0, CLI_TEXT, "ADDRESS", NULL, "its mail address", 0, 0, false, false},
    {"phone", 0, CLI_TEXT, "NUMBER", NULL, "its telephone number, with +91 or the like", 0, 0,
     false, false},
    {"key", 0, CLI_TEXT, "FINGERPRINT", NULL, "the fingerprint of a key of its", 0, 0, true, false},
    {"language", 0, CLI_TEXT, "LANG", NULL, "a language that it speaks: en, hi, ja", 0, 0, true,
     false},
    {"hours", 0, CLI_TEXT, "TEXT", NULL, "when somebody is there, as 24x7", 0, 0, false, false},
    {"zone", 0, CLI_TEXT, "ZONE", NULL, "the zone that its hours are in: Asia/Tokyo", 0, 0, false,
     false},
    {"valid-from", 0, CLI_TEXT, "TIME", NULL, "it holds from this instant on; now if not given", 0,
     0, false, false},
    {"valid-until", 0, CLI_TEXT, "TIME", NULL, "and until this instant", 0, 0, false, false},
    {"follows", 0, CLI_TEXT, "ID", NULL,
     "it follows this contact point of one's own, which holds until this one does", 0, 0, false,
     false},
    CLI_SPEAKER_MARKING,
    CLI_EXERCISE,
    CLI_SPEAKER_COLLECTION,
    CLI_SPEAKER,
    CLI_JSON,
    CLI_OPTION_END,
};

static void put_list(struct buf *b, const struct cli *c, const char *option, const char *name)
{
    struct str w = cli_text_nth(c, option, 0);
    if (!w.p)
        return;
    json_put_name(b, name);
    for (size_t i = 0; (w = cli_text_nth(c, option, i)).p; i++) {
        buf_byte(b, i ? ',' : '[');
        json_put_string(b, w);
    }
    buf_byte(b, ']');
}

static bool put_names(struct buf *b, const struct cli *c, struct err *e)
{
    struct str rest = cli_text_nth(c, "name-in", 0);
    if (!rest.p)
        return true;
    json_put_name(b, "names");
    for (size_t i = 0; (rest = cli_text_nth(c, "name-in", i)).p; i++) {
        struct str language = str_cut(&rest, '=');
        if (!language.n || !rest.n)
            return err_set(e, ERR_USAGE, "--name-in %s: as in ja=名前",
                           cli_text_nth(c, "name-in", i).p);
        buf_byte(b, i ? ',' : '{');
        json_put_string(b, language);
        buf_byte(b, ':');
        json_put_string(b, rest);
    }
    buf_byte(b, '}');
    return true;
}

static void put_some(struct buf *b, const struct cli *c, const char *name)
{
    struct str text = cli_text(c, name);
    if (text.n)
        json_put_member(b, name, text);
}

static bool put_members(struct cli_speaker *sp, int64_t now, struct buf *b, struct err *e)
{
    const struct cli *c = sp->c;
    struct str org = cli_text(c, "org"), identity = sp->who.identity,
               nation = cli_text(c, "nation");
    int64_t from, until;
    if (org.n && !exchange_identity_find(sp->node.s, &sp->who, sp->arena, org, &identity, e))
        return err_prefix(e, "--org");
    if (!cli_instant(c, "valid-from", now, &from, e) ||
        !cli_instant(c, "valid-until", 0, &until, e))
        return false;
    buf_byte(b, '{');
    json_put_member(b, "organisation_ref", identity);
    json_put_member(b, "nation", nation.n ? nation : sp->who.party.nation);
    put_some(b, c, "role");
    put_some(b, c, "name");
    if (!put_names(b, c, e))
        return false;
    put_some(b, c, "email");
    put_some(b, c, "phone");
    put_list(b, c, "key", "key_fingerprints");
    put_list(b, c, "language", "languages");
    put_some(b, c, "hours");
    put_some(b, c, "zone");
    cli_put_instant(b, "valid_from", from);
    if (until)
        cli_put_instant(b, "valid_until", until);
    buf_byte(b, '}');
    return buf_ok(b, e);
}

static bool add(struct cli_speaker *sp, struct buf *b, size_t *refused, struct err *e)
{
    struct exchange_contact_new new = {.say = {.who = &sp->who},
                                       .follows = cli_text(sp->c, "follows")};
    struct cli_said said;
    struct buf members;
    buf_init(&members, 0);
    bool ok = cli_speaker_author(sp, &new.author, e) &&
              put_members(sp, new.author.now_us, &members, e) &&
              json_parse(exchange_session_json(sp->node.s), sp->c->arena, buf_view(&members), false,
                         &new.given, e) &&
              cli_speaker_into(sp, &new.say, &said, b, e) &&
              exchange_contact_add(sp->node.s, &new, refused, e);
    buf_done(&members);
    return ok;
}

static int run(struct cli *c)
{
    return cli_speaker_run(c, add);
}

const struct cli_command cli_contact_add = {
    .name = "contact add",
    .args = "DIR",
    .least_args = 1,
    .most_args = 1,
    .summary = "add a technical or diplomatic point of contact",
    .text = "A contact point is an object of the dialogue: partners have it by policy.conf, and "
            "`setu request new --to` takes its id. Where an agency is followed by another, "
            "--follows ends the one and names its successor, at the instant of --valid-from.",
    .options = options,
    .run = run,
};
