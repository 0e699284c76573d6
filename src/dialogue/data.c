#include "dialogue/dialogue_data.h"
#include "dialogue/dialogue_priv.h"

/* Less the NUL that tools/embed puts behind each file. */
#define FILE_OF(name)                                                                              \
    {                                                                                              \
        (const char *)(name), sizeof(name) - 1                                                     \
    }

struct str dialogue_data(enum dialogue_data which)
{
    static const struct str files[] = {[DIALOGUE_WORDS] = FILE_OF(dialogue_words),
                                       [DIALOGUE_NATIONS] = FILE_OF(dialogue_nations),
                                       [DIALOGUE_AGENCIES] = FILE_OF(dialogue_agencies),
                                       [DIALOGUE_INDIA_JAPAN] = FILE_OF(dialogue_india_japan),
                                       [DIALOGUE_NORMS] = FILE_OF(dialogue_norms),
                                       [DIALOGUE_CLOCKS] = FILE_OF(dialogue_clocks),
                                       [DIALOGUE_EXTENSIONS] = FILE_OF(dialogue_extensions),
                                       [DIALOGUE_COMMON] = FILE_OF(dialogue_common),
#define X(id, type, extension)                                                                     \
    [DIALOGUE_FIRST_TYPE + DIALOGUE_##id] = FILE_OF(dialogue_##extension),
                                       DIALOGUE_TYPES(X)
#undef X
    };
    must((size_t)which < sizeof files / sizeof files[0]);
    return files[which];
}

struct str dialogue_reference(enum dialogue_reference which)
{
    switch (which) {
    case DIALOGUE_REFERENCE_NORMS:
        return dialogue_data(DIALOGUE_NORMS);
    case DIALOGUE_REFERENCE_CLOCKS:
        return dialogue_data(DIALOGUE_CLOCKS);
    case DIALOGUE_REFERENCE_EXTENSIONS:
        return dialogue_data(DIALOGUE_EXTENSIONS);
    case DIALOGUE_REFERENCE_INDIA_JAPAN:
        return dialogue_data(DIALOGUE_INDIA_JAPAN);
    }
    return STR_NONE;
}

struct str dialogue_schema(enum dialogue_type type)
{
    return dialogue_data(DIALOGUE_FIRST_TYPE + type);
}
