#include "dialogue/dialogue_priv.h"

#include "dialogue/dialogue_data.h"

/* Less the NUL that tools/embed puts behind each file. */
#define FILE_OF(name)                                                                              \
    {                                                                                              \
        (const char *)(name), sizeof(name) - 1                                                     \
    }

struct str dialogue_data(enum dialogue_data which)
{
    static const struct str files[] = {
        [DIALOGUE_WORDS] = FILE_OF(dialogue_words),
        [DIALOGUE_NATIONS] = FILE_OF(dialogue_nations),
        [DIALOGUE_AGENCIES] = FILE_OF(dialogue_agencies),
        [DIALOGUE_INDIA_JAPAN] = FILE_OF(dialogue_india_japan),
        [DIALOGUE_NORMS] = FILE_OF(dialogue_norms),
        [DIALOGUE_CLOCKS] = FILE_OF(dialogue_clocks),
        [DIALOGUE_EXTENSIONS] = FILE_OF(dialogue_extensions),
    };
    return files[which];
}
