#include <dlfcn.h>
#include <string.h>

#include "base/base.h"

bool base_library_load(const char *soname, const char *const *names, size_t count, void *functions,
                       struct err *e)
{
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(e, ERR_IO, "cannot load a library: %s; install it anew", dlerror());
    for (size_t i = 0; i < count; i++)
        if (!dlsym(library, names[i])) {
            dlclose(library);
            return err_set(e, ERR_IO, "%s has no %s; install a newer one", soname, names[i]);
        }
    for (size_t i = 0; i < count; i++) { /* POSIX dlsym: a function's address is a void * too */
        void *found = dlsym(library, names[i]);
        memcpy((char *)functions + i * sizeof found, &found, sizeof found);
    }
    return true;
}
