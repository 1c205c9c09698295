/* Parses the headers that RocksDB's bindings start from with one given libclang, as bindgen will.
 *
 *   libclang_probe LIBRARY [ARGUMENT]...
 *
 * Prints the library's version and exits with 0 when it can; prints the first error and exits with 1 when not.
 * libclang is loaded by its path and declared here, so that no package with its headers is needed.
 */
#include <dlfcn.h>
#include <stdio.h>

struct unsaved_file { const char *name; const char *contents; unsigned long length; };
struct string { const void *data; unsigned flags; };

#define SOURCE \
    "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdarg.h>\n#include <limits.h>\n" \
    "bool is_read(size_t length, uint64_t key, ptrdiff_t step);\n"
#define ERROR_SEVERITY 3 /* CXDiagnostic_Error */

static void *load(void *library, const char *name) {
    void *function = dlsym(library, name);
    if (!function) {
        printf("has no function %s: it is no libclang\n", name);
    }
    return function;
}

int main(int count, char **arguments) {
    if (count < 2) {
        puts("usage: libclang_probe LIBRARY [ARGUMENT]...");
        return 2;
    }
    void *library = dlopen(arguments[1], RTLD_NOW);
    if (!library) {
        printf("does not load: %s\n", dlerror());
        return 1;
    }
    void *(*create_index)(int, int);
    void *(*parse)(void *, const char *, const char *const *, int, struct unsaved_file *, unsigned, unsigned);
    unsigned (*count_diagnostics)(void *);
    void *(*diagnostic)(void *, unsigned);
    int (*severity)(void *);
    struct string (*spelling)(void *);
    struct string (*version)(void);
    const char *(*text)(struct string);
    if (!(*(void **)&create_index = load(library, "clang_createIndex"))
        || !(*(void **)&parse = load(library, "clang_parseTranslationUnit"))
        || !(*(void **)&count_diagnostics = load(library, "clang_getNumDiagnostics"))
        || !(*(void **)&diagnostic = load(library, "clang_getDiagnostic"))
        || !(*(void **)&severity = load(library, "clang_getDiagnosticSeverity"))
        || !(*(void **)&spelling = load(library, "clang_getDiagnosticSpelling"))
        || !(*(void **)&version = load(library, "clang_getClangVersion"))
        || !(*(void **)&text = load(library, "clang_getCString"))) {
        return 1;
    }
    struct unsaved_file file = {"probe.h", SOURCE, sizeof SOURCE - 1};
    void *unit = parse(create_index(0, 0), "probe.h", (const char *const *)(arguments + 2), count - 2, &file, 1, 0);
    if (!unit) {
        puts("cannot parse a file");
        return 1;
    }
    for (unsigned at = 0; at < count_diagnostics(unit); at++) {
        if (severity(diagnostic(unit, at)) >= ERROR_SEVERITY) {
            printf("%s\n", text(spelling(diagnostic(unit, at))));
            return 1;
        }
    }
    printf("%s\n", text(version()));
    return 0;
}
