#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "base/base.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool load(const struct base_library *l, struct err *e)
{
    void *library = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(e, ERR_IO, "cannot load a library: %s; install it anew", dlerror());
    for (size_t i = 0; i < l->count; i++)
        if (!dlsym(library, l->names[i])) {
            dlclose(library);
            return err_set(e, ERR_IO, "%s has no %s; install a newer one", l->soname, l->names[i]);
        }
    for (size_t i = 0; i < l->count; i++) { /* POSIX dlsym: a function's address is a void * too */
        void *found = dlsym(library, l->names[i]);
        memcpy((char *)l->functions + i * sizeof found, &found, sizeof found);
    }
    return true;
}

bool base_library_load(struct base_library *l, struct err *e)
{
    pthread_mutex_lock(&lock);
    if (!l->tried)
        l->loaded = load(l, &l->failure) && (!l->begin || l->begin(&l->failure));
    l->tried = true;
    bool loaded = l->loaded;
    if (!loaded)
        *e = l->failure;
    pthread_mutex_unlock(&lock);
    return loaded;
}
