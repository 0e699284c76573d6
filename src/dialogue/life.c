/* A request's life: steps taken in order of time, and what is due meanwhile. It follows from the
 * steps alone, so whoever has the same steps sees the same life. */
#include "dialogue/dialogue.h"

static const char *const event_names[] = {
#define X(id, text) text,
    DIALOGUE_EVENTS(X)
#undef X
};
_Static_assert(sizeof event_names / sizeof event_names[0] == DIALOGUE_EVENT_COUNT, "events");

const char *dialogue_event_name(enum dialogue_event v)
{
    must((size_t)v < DIALOGUE_EVENT_COUNT);
    return event_names[v];
}

bool dialogue_event_parse(struct str name, enum dialogue_event *out)
{
    for (size_t i = 0; i < DIALOGUE_EVENT_COUNT; i++)
        if (str_eq(name, str_of(event_names[i]))) {
            *out = (enum dialogue_event)i;
            return true;
        }
    return false;
}

void dialogue_life_begin(struct dialogue_life *l, int64_t acknowledge_by_us, int64_t answer_by_us)
{
    *l = (struct dialogue_life){.state = DIALOGUE_DRAFT,
                                .acknowledge_by_us = acknowledge_by_us,
                                .answer_by_us = answer_by_us};
}

/* ---- what is due ---- */

/* The last day to answer, moved by the pauses. A request whose days are out of all measure keeps
 * the day that it names. */
static int64_t answer_due(const struct dialogue_life *l, int64_t now_us)
{
    struct err ignored;
    int64_t due, whole = (l->answer_by_us - l->sent_us) / 1000000;
    struct dialogue_clock c = {.start_us = l->answer_by_us - whole * 1000000,
                               .length_s = whole,
                               .pausable = true,
                               .pauses = l->pauses,
                               .pause_count = l->pause_count};
    return whole >= 0 && dialogue_clock_due(&c, now_us, &due, &ignored) ? due : l->answer_by_us;
}

static struct dialogue_deadline deadline(const struct dialogue_life *l, int64_t due_us,
                                         int64_t done_us, int64_t now_us)
{
    struct dialogue_deadline d = {due_us, DIALOGUE_CLOCK_RUNNING};
    if (done_us && done_us <= now_us)
        d.state = done_us <= due_us ? DIALOGUE_CLOCK_MET : DIALOGUE_CLOCK_MET_LATE;
    else if (l->withdrawn_us && l->withdrawn_us <= now_us)
        d.state = DIALOGUE_CLOCK_VOID;
    else if (now_us > due_us)
        d.state = DIALOGUE_CLOCK_OVERDUE;
    return d;
}

bool dialogue_life_acknowledge(const struct dialogue_life *l, int64_t now_us,
                               struct dialogue_deadline *out)
{
    if (!l->acknowledge_by_us || !l->sent_us)
        return false;
    *out = deadline(l, l->acknowledge_by_us, l->acknowledged_us, now_us);
    return true;
}

bool dialogue_life_answer(const struct dialogue_life *l, int64_t now_us,
                          struct dialogue_deadline *out)
{
    if (!l->answer_by_us || !l->sent_us)
        return false;
    *out = deadline(l, answer_due(l, l->answered_us ? l->answered_us : now_us), l->answered_us,
                    now_us);
    if (l->paused && out->state == DIALOGUE_CLOCK_RUNNING)
        out->state = DIALOGUE_CLOCK_PAUSED;
    return true;
}

bool dialogue_life_law(const struct dialogue_life *l, const struct dialogue_law *law,
                       int64_t noticed_us, int64_t now_us, struct dialogue_deadline *out)
{
    int64_t start = noticed_us ? noticed_us : l->sent_us;
    if (!start)
        return false;
    *out = deadline(l, start + law->seconds * 1000000, l->replied_us, now_us);
    return true;
}

/* ---- steps ---- */

void dialogue_life_until(struct dialogue_life *l, int64_t at_us)
{
    struct err ignored;
    /* Who was answered once and asks on has no last day any more. */
    if (l->answer_by_us && l->sent_us && !l->answered_us &&
        dialogue_move_allowed(l->state, DIALOGUE_EXPIRED, DIALOGUE_CLOCK, &ignored) &&
        at_us > answer_due(l, at_us)) {
        l->state = DIALOGUE_EXPIRED;
        l->paused = false;
    }
}

static void resume(struct dialogue_life *l, int64_t at_us)
{
    if (l->paused)
        l->pauses[l->pause_count - 1].to_us = at_us;
    l->paused = false;
}

static bool is_open(enum dialogue_state s)
{
    return s != DIALOGUE_DRAFT && s != DIALOGUE_ANSWERED && !dialogue_state_final(s);
}

static bool take_move(struct dialogue_life *l, const struct dialogue_step *s, struct err *e)
{
    if (s->from != l->state)
        return err_set(e, ERR_CONFLICT, "it is a move from %s, and the request is %s",
                       dialogue_state_name(s->from), dialogue_state_name(l->state));
    if (s->by == DIALOGUE_CLOCK || !dialogue_move_allowed(s->from, s->to, s->by, e))
        return s->by == DIALOGUE_CLOCK ? err_set(e, ERR_CONFLICT, "nobody moves for the clock")
                                       : false;
    resume(l, s->at_us);
    if (l->state == DIALOGUE_DRAFT && s->to == DIALOGUE_SENT)
        l->sent_us = s->at_us;
    if (s->by == DIALOGUE_ASKED && !l->acknowledged_us)
        l->acknowledged_us = s->at_us;
    if ((s->to == DIALOGUE_ANSWERED || s->to == DIALOGUE_PARTLY_ANSWERED ||
         s->to == DIALOGUE_DECLINED) &&
        !l->replied_us)
        l->replied_us = s->at_us;
    if ((s->to == DIALOGUE_ANSWERED || s->to == DIALOGUE_DECLINED) && !l->answered_us)
        l->answered_us = s->at_us;
    if (s->to == DIALOGUE_WITHDRAWN)
        l->withdrawn_us = s->at_us;
    l->state = s->to;
    return true;
}

static bool take_pause(struct dialogue_life *l, const struct dialogue_step *s, struct err *e)
{
    bool pause = s->event == DIALOGUE_PAUSES;
    if (s->by != DIALOGUE_ASKED)
        return err_set(e, ERR_CONFLICT, "the side that is asked pauses and goes on, nobody else");
    if (!pause && !l->paused)
        return err_set(e, ERR_CONFLICT, "the request is not paused");
    if (pause && l->paused)
        return err_set(e, ERR_CONFLICT, "the request is paused already");
    if (pause && (!is_open(l->state) || l->state == DIALOGUE_SENT || l->state == DIALOGUE_EXPIRED))
        return err_set(e, ERR_CONFLICT, "a request that is %s is not paused",
                       dialogue_state_name(l->state));
    if (pause && l->pause_count == LIMIT_DIALOGUE_PAUSES)
        return err_set(e, ERR_LIMIT, "a request has at most %d pauses", LIMIT_DIALOGUE_PAUSES);
    if (!pause) {
        resume(l, s->at_us);
        return true;
    }
    l->pauses[l->pause_count++] = (struct dialogue_pause){s->at_us, INT64_MAX};
    l->paused = true;
    return true;
}

bool dialogue_life_take(struct dialogue_life *l, const struct dialogue_step *s, struct err *e)
{
    dialogue_life_until(l, s->at_us);
    switch (s->event) {
    case DIALOGUE_MOVES:
        return take_move(l, s, e);
    case DIALOGUE_PAUSES:
    case DIALOGUE_RESUMES:
        return take_pause(l, s, e);
    case DIALOGUE_ESCALATES:
        if (!is_open(l->state))
            return err_set(e, ERR_CONFLICT, "a request that is %s is not escalated",
                           dialogue_state_name(l->state));
        l->escalated_us = l->escalated_us ? l->escalated_us : s->at_us;
        return true;
    case DIALOGUE_NOTES:
        return true;
    }
    return false;
}
