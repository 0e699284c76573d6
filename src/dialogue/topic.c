/* Topics and fora in the sentences that say what was talked about, and claims that nothing
 * supports.
 */
#include "dialogue/dialogue_priv.h"

static bool talked(const struct reading *r, const struct sentence *s)
{
    return mark_in(r, s->first, s->end, WORD_TALKED) != NULL ||
           mark_in(r, s->first, s->end, WORD_EVENT) != NULL;
}

static void put(struct str *names, size_t *at, size_t *count, size_t room, struct str name,
                size_t sentence)
{
    for (size_t i = 0; i < *count; i++)
        if (str_eq(names[i], name))
            return;
    if (*count < room) {
        names[*count] = name;
        at[(*count)++] = sentence;
    }
}

/* Is it only a word of the event's own name, "Cyber Policy Dialogue"? */
static bool in_name(const struct reading *r, size_t at)
{
    for (size_t i = 0; i < r->mention_count; i++)
        if (at >= r->mentions[i].first && at < r->mentions[i].end)
            return true;
    return false;
}

/* Names of delegations' offices are no topics: "Department of Information Technology". */
static void topics_of(struct reading *r, const struct sentence *s, size_t sentence)
{
    struct dialogue_draft *d = r->d;
    for (size_t i = s->first; i < s->end; i++) {
        const struct mark *topic = mark_at(r, i, WORD_TOPIC), *forum = mark_at(r, i, WORD_FORUM);
        if (topic && !mark_over(r, i, WORD_AGENCY) && !mark_over(r, i, WORD_TITLE) &&
            !in_name(r, i))
            put(d->topics, d->topic_at, &d->topic_count, 64, topic->phrase->entry->name, sentence);
        if (forum && !mark_over(r, i, WORD_AGENCY) &&
            !side_known(r, forum->phrase->entry->name)) /* "ASEAN" may be a side */
            put(d->fora, d->forum_at, &d->forum_count, 48, forum->phrase->entry->name, sentence);
    }
}

/* "Japan is already implementing 7G": a generation that no standard defines, or that is not there.
 */
static void generation(struct reading *r, const struct mark *m)
{
    const struct sentence *s = sentence_of(r, m->first);
    struct str name = m->phrase->entry->name;
    unsigned n = m->phrase->entry->number;
    size_t sentence = r->text.words[m->first].sentence;
    const struct mark *deployed = mark_in(r, s->first, s->end, WORD_DEPLOYED);
    if (n >= 7)
        reading_find(r, "claim-unsupported", sentence,
                     "a claim about %.*s: no standard defines it and no source supports it",
                     STR_FMT(name));
    else if (deployed && !mark_over(r, deployed->first, WORD_HELD))
        reading_find(r, "claim-unsupported", sentence,
                     "a claim that %.*s is in use: no standard of it is complete and no source "
                     "supports it",
                     STR_FMT(name));
}

static void claims(struct reading *r)
{
    for (size_t i = 0; i < r->text.count; i++) {
        const struct mark *m = mark_at(r, i, WORD_GENERATION);
        if (m && !mark_over(r, i, WORD_AGENCY))
            generation(r, m);
        m = mark_at(r, i, WORD_CLAIM);
        if (m)
            reading_find(r, "claim-unsupported", r->text.words[i].sentence, "\"%.*s\": %.*s",
                         STR_FMT(text_span(r->a, &r->text, m->first, m->end)),
                         STR_FMT(m->phrase->entry->name));
    }
}

void reading_topics(struct reading *r)
{
    for (size_t i = 0; i < r->text.sentence_count; i++) {
        const struct sentence *s = &r->text.sentences[i];
        bool people = mark_in(r, s->first, s->end, WORD_AGENCY) &&
                      mark_in(r, s->first, s->end, WORD_COMPOSED) &&
                      mark_in(r, s->first, s->end, WORD_PEOPLE);
        if (talked(r, s) && !people)
            topics_of(r, s, i);
    }
    claims(r);
}
