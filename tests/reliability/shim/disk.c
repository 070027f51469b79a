/* A layer between a program and its disk, loaded with LD_PRELOAD. For all files under one directory it records what is
 * asked of the disk, in one total order and with the data, so that the state of the disk after a power cut at any point
 * can be built afterwards; or it lets the n-th request fail, as a full or a broken disk does.
 *
 * DISK_ROOT    absolute path of the directory
 * DISK_LOG     file that the record is appended to; none is written if it is not set
 * DISK_FAIL    number of the request that fails, from 1; none fails if it is not set
 * DISK_FAIL_SYNC  number of the fsync or fdatasync that fails, from 1
 * DISK_ERRNO   errno of the failure
 * DISK_ONWARD  "1": all later requests fail, too; "half": a write that fails has written half of its bytes before
 * DISK_BAD     "<end of a path>:<offset>": reads over this place of such a file fail with DISK_ERRNO, always
 * DISK_KILL    number of the record, from 1, with which the process is killed
 *
 * A lock is held around each request with its record: their order in the record is the order in which they happened.
 * What is not modelled (mmap for writing, links, dup, copies inside the kernel) is recorded by its name; whoever reads
 * the record refuses it. Record: op, kind (1 byte each), lengths of two paths (2 bytes each), fd (4, signed),
 * two numbers (8 each), length of data (4), then paths and data; all little-endian. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum op { OPEN = 1, CLOSE, WRITE, TRUNCATE, ALLOCATE, SYNC, SYNC_DATA, SYNC_RANGE, RENAME, UNLINK, MKDIR, RMDIR, SAID, FAULT, UNMODELLED };

#define FDS 4096
static char *path_of[FDS];
static char is_dir[FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[4096];
static size_t root_len;
static int log_fd = -1;
static long fail_at, asked, kill_at, recorded, fail_sync_at, syncs;
static int fail_errno, onward, half;
static char bad_path[256];
static off64_t bad_at = -1;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t real_write(int fd, const void *data, size_t len) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(fd, data, len);
}

static ssize_t real_pwrite(int fd, const void *data, size_t len, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return real(fd, data, len, at);
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("DISK_ROOT");
    if (!text || strlen(text) >= sizeof root) return;
    strcpy(root, text);
    root_len = strlen(root);
    if ((text = getenv("DISK_FAIL"))) fail_at = atol(text);
    if ((text = getenv("DISK_FAIL_SYNC"))) fail_sync_at = atol(text);
    if ((text = getenv("DISK_KILL"))) kill_at = atol(text);
    if ((text = getenv("DISK_ERRNO"))) fail_errno = atoi(text);
    if ((text = getenv("DISK_ONWARD"))) { onward = !strcmp(text, "1"); half = !strcmp(text, "half"); }
    if ((text = getenv("DISK_BAD"))) {
        const char *colon = strrchr(text, ':');
        if (!colon || (size_t)(colon - text) >= sizeof bad_path) _exit(95);
        memcpy(bad_path, text, (size_t)(colon - text));
        bad_at = atoll(colon + 1);
    }
    if ((text = getenv("DISK_LOG"))) {
        REAL(int, "open64", const char *, int, ...);
        log_fd = real(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log_fd < 0) _exit(97);
    }
}

static void record(enum op op, int kind, int fd, uint64_t a, uint64_t b, const char *one, const char *two, const void *data, size_t len);

/* At the end the record says how many requests there were. */
__attribute__((destructor)) static void end(void) { record(FAULT, 1, -1, (uint64_t)asked, 0, NULL, NULL, NULL, 0); }

static int under_root(const char *path) {
    return root_len && path && !strncmp(path, root, root_len) && (path[root_len] == '/' || !path[root_len]);
}

static int tracked(int fd) { return fd >= 0 && fd < FDS && path_of[fd]; }
static int tracked_file(int fd) { return tracked(fd) && !is_dir[fd]; }

static void put(const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t wrote = real_write(log_fd, at, len);
        if (wrote <= 0) _exit(98);
        at += wrote;
        len -= (size_t)wrote;
    }
}

static void record(enum op op, int kind, int fd, uint64_t a, uint64_t b, const char *one, const char *two, const void *data, size_t len) {
    if (log_fd < 0) return;
    int kept = errno;
    unsigned char head[30];
    uint16_t len1 = one ? (uint16_t)strlen(one) : 0, len2 = two ? (uint16_t)strlen(two) : 0;
    int32_t fd32 = fd;
    uint32_t len32 = (uint32_t)len;
    head[0] = (unsigned char)op;
    head[1] = (unsigned char)kind;
    memcpy(head + 2, &len1, 2);
    memcpy(head + 4, &len2, 2);
    memcpy(head + 6, &fd32, 4);
    memcpy(head + 10, &a, 8);
    memcpy(head + 18, &b, 8);
    memcpy(head + 26, &len32, 4);
    put(head, sizeof head);
    if (len1) put(one, len1);
    if (len2) put(two, len2);
    if (len) put(data, len);
    if (++recorded == kill_at) kill(getpid(), SIGKILL);
    errno = kept;
}

/* Whether this request is one that fails; it counts. */
static int fails(const char *what) {
    asked++;
    if (!fail_at || asked < fail_at || (asked > fail_at && !onward)) return 0;
    if (asked == fail_at) record(FAULT, 0, -1, (uint64_t)asked, (uint64_t)fail_errno, what, NULL, NULL, 0);
    errno = fail_errno;
    return 1;
}

static void unmodelled(const char *what) { record(UNMODELLED, 0, -1, 0, 0, what, NULL, NULL, 0); }

/* The absolute path that a call means, in a buffer of the caller's. */
static const char *whole(int dir, const char *path, char *buffer, size_t size) {
    if (path[0] == '/' || dir == AT_FDCWD) return path;
    if (!tracked(dir)) return path;
    snprintf(buffer, size, "%s/%s", path_of[dir], path);
    return buffer;
}

static void forget(int fd) {
    if (fd < 0 || fd >= FDS) return;
    free(path_of[fd]);
    path_of[fd] = NULL;
}

static int open_any(int dir, const char *name, int flags, mode_t mode) {
    REAL(int, "openat64", int, const char *, int, ...);
    char buffer[8192];
    pthread_mutex_lock(&lock);
    const char *path = whole(dir, name, buffer, sizeof buffer);
    int ours = under_root(path), changes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
    struct stat before;
    int existed = ours && stat(path, &before) == 0;
    int fd = -1;
    if (ours && changes && fails("open")) goto out;
    fd = real(dir, name, flags, mode);
    if (fd < 0) goto out;
    forget(fd);
    if (ours) {
        struct stat now;
        if (fd >= FDS || fstat(fd, &now)) _exit(96);
        path_of[fd] = strdup(path);
        is_dir[fd] = S_ISDIR(now.st_mode);
        record(OPEN, (existed ? 1 : 0) | (flags & O_TRUNC ? 2 : 0) | (is_dir[fd] ? 4 : 0), fd, 0, 0, path, NULL, NULL, 0);
    }
out:
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(mode, flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *path, int flags, ...) { MODE(mode, flags) return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(mode, flags) return open_any(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(mode, flags) return open_any(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(mode, flags) return open_any(dir, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
    REAL(int, "close", int);
    pthread_mutex_lock(&lock);
    if (tracked(fd)) {
        record(CLOSE, 0, fd, 0, 0, NULL, NULL, NULL, 0);
        forget(fd);
    }
    int answer = real(fd);
    pthread_mutex_unlock(&lock);
    return answer;
}

/* The place where a plain write goes. */
static off64_t place(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return lseek64(fd, 0, flags & O_APPEND ? SEEK_END : SEEK_CUR);
}

/* Writes to a tracked file, at a place or, where that is negative, where the file stands. */
static ssize_t write_tracked(int fd, const void *data, size_t len, off64_t at) {
    off64_t start = at < 0 ? place(fd) : at;
    ssize_t wrote = -1;
    if (fails("write")) {
        if (half && len > 1) {
            int kept = errno;
            wrote = at < 0 ? real_write(fd, data, len / 2) : real_pwrite(fd, data, len / 2, at);
            /* The rest fails, as on a disk that has become full. */
            onward = 1;
            half = 0;
            errno = kept;
        }
    } else {
        wrote = at < 0 ? real_write(fd, data, len) : real_pwrite(fd, data, len, at);
    }
    if (wrote > 0) record(WRITE, 0, fd, (uint64_t)start, 0, NULL, NULL, data, (size_t)wrote);
    return wrote;
}

ssize_t write(int fd, const void *data, size_t len) {
    ssize_t wrote;
    if (tracked_file(fd) || (fd == 1 && log_fd >= 0)) {
        pthread_mutex_lock(&lock);
        if (fd == 1) {
            wrote = real_write(fd, data, len);
            if (wrote > 0) record(SAID, 0, fd, 0, 0, NULL, NULL, data, (size_t)wrote);
        } else {
            wrote = write_tracked(fd, data, len, -1);
        }
        pthread_mutex_unlock(&lock);
        return wrote;
    }
    return real_write(fd, data, len);
}

static ssize_t pwrite_any(int fd, const void *data, size_t len, off64_t at) {
    if (!tracked_file(fd)) return real_pwrite(fd, data, len, at);
    pthread_mutex_lock(&lock);
    ssize_t wrote = write_tracked(fd, data, len, at);
    pthread_mutex_unlock(&lock);
    return wrote;
}
ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return pwrite_any(fd, data, len, at); }
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) { return pwrite_any(fd, data, len, at); }

/* Parts are written one by one: less is written than was asked for, which is allowed. */
static ssize_t writev_any(int fd, const struct iovec *parts, int count, off64_t at) {
    ssize_t sum = 0;
    for (int i = 0; i < count; i++) {
        if (!parts[i].iov_len) continue;
        ssize_t wrote = at < 0 ? write(fd, parts[i].iov_base, parts[i].iov_len) : pwrite_any(fd, parts[i].iov_base, parts[i].iov_len, at + sum);
        if (wrote < 0) return sum ? sum : wrote;
        sum += wrote;
        if ((size_t)wrote < parts[i].iov_len) break;
    }
    return sum;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return tracked_file(fd) || fd == 1 ? writev_any(fd, parts, count, -1) : real(fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    return tracked_file(fd) ? writev_any(fd, parts, count, at) : real(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
    return tracked_file(fd) ? writev_any(fd, parts, count, at) : real(fd, parts, count, at);
}

/* A sync of one file. One that fails is recorded as such (kind 8): what was to be synced is on no disk, and is not tried
 * again by the next one. */
static int sync_any(int fd, enum op op, const char *what, int (*real)(int)) {
    if (!tracked(fd)) return real(fd);
    pthread_mutex_lock(&lock);
    int answer = -1;
    if (!fails(what)) {
        if (fail_sync_at && ++syncs == fail_sync_at) {
            record(FAULT, 0, -1, (uint64_t)asked, (uint64_t)fail_errno, what, NULL, NULL, 0);
            errno = fail_errno;
        } else {
            answer = real(fd);
        }
    }
    record(op, (is_dir[fd] ? 4 : 0) | (answer ? 8 : 0), fd, 0, 0, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return answer;
}

/* A request about one file: `call` is done and recorded if the file is tracked. */
#define ON_FD(fd, op, what, a, b, call) \
    do { \
        if (!tracked(fd)) return call; \
        pthread_mutex_lock(&lock); \
        int answer = -1; \
        if (!fails(what)) answer = call; \
        if (answer == 0) record(op, is_dir[fd] ? 4 : 0, fd, (uint64_t)(a), (uint64_t)(b), NULL, NULL, NULL, 0); \
        pthread_mutex_unlock(&lock); \
        return answer; \
    } while (0)

int ftruncate(int fd, off_t len) { REAL(int, "ftruncate", int, off_t); ON_FD(fd, TRUNCATE, "ftruncate", len, 0, real(fd, len)); }
int ftruncate64(int fd, off64_t len) { REAL(int, "ftruncate64", int, off64_t); ON_FD(fd, TRUNCATE, "ftruncate", len, 0, real(fd, len)); }
int fsync(int fd) { REAL(int, "fsync", int); return sync_any(fd, SYNC, "fsync", real); }
int fdatasync(int fd) { REAL(int, "fdatasync", int); return sync_any(fd, SYNC_DATA, "fdatasync", real); }
int sync_file_range(int fd, off64_t at, off64_t len, unsigned flags) {
    REAL(int, "sync_file_range", int, off64_t, off64_t, unsigned);
    ON_FD(fd, SYNC_RANGE, "sync_file_range", at, len, real(fd, at, len, flags));
}
int fallocate(int fd, int mode, off_t at, off_t len) {
    REAL(int, "fallocate", int, int, off_t, off_t);
    if (tracked(fd) && mode) unmodelled("fallocate with a mode");
    ON_FD(fd, ALLOCATE, "fallocate", at, len, real(fd, mode, at, len));
}
int fallocate64(int fd, int mode, off64_t at, off64_t len) {
    REAL(int, "fallocate64", int, int, off64_t, off64_t);
    if (tracked(fd) && mode) unmodelled("fallocate with a mode");
    ON_FD(fd, ALLOCATE, "fallocate", at, len, real(fd, mode, at, len));
}
int posix_fallocate(int fd, off_t at, off_t len) {
    REAL(int, "posix_fallocate", int, off_t, off_t);
    if (tracked(fd) && fail_at) unmodelled("posix_fallocate");
    ON_FD(fd, ALLOCATE, "posix_fallocate", at, len, real(fd, at, len));
}
int posix_fallocate64(int fd, off64_t at, off64_t len) {
    REAL(int, "posix_fallocate64", int, off64_t, off64_t);
    if (tracked(fd) && fail_at) unmodelled("posix_fallocate");
    ON_FD(fd, ALLOCATE, "posix_fallocate", at, len, real(fd, at, len));
}

/* A request about names. */
#define ON_PATH(dir1, name1, dir2, name2, op, what, call) \
    do { \
        char buffer1[8192], buffer2[8192]; \
        pthread_mutex_lock(&lock); \
        const char *one = whole(dir1, name1, buffer1, sizeof buffer1); \
        const char *two = name2 ? whole(dir2, name2, buffer2, sizeof buffer2) : NULL; \
        int ours = under_root(one) || under_root(two), answer = -1; \
        if (!ours || !fails(what)) answer = call; \
        if (ours && answer == 0) record(op, 0, -1, 0, 0, one, two, NULL, 0); \
        pthread_mutex_unlock(&lock); \
        return answer; \
    } while (0)

#define NONE ((const char *)NULL)
int rename(const char *from, const char *to) { REAL(int, "rename", const char *, const char *); ON_PATH(AT_FDCWD, from, AT_FDCWD, to, RENAME, "rename", real(from, to)); }
int renameat(int a, const char *from, int b, const char *to) { REAL(int, "renameat", int, const char *, int, const char *); ON_PATH(a, from, b, to, RENAME, "rename", real(a, from, b, to)); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
    if (flags) unmodelled("renameat2 with flags");
    ON_PATH(a, from, b, to, RENAME, "rename", real(a, from, b, to, flags));
}
int unlink(const char *path) { REAL(int, "unlink", const char *); ON_PATH(AT_FDCWD, path, AT_FDCWD, NONE, UNLINK, "unlink", real(path)); }
int rmdir(const char *path) { REAL(int, "rmdir", const char *); ON_PATH(AT_FDCWD, path, AT_FDCWD, NONE, RMDIR, "rmdir", real(path)); }
int unlinkat(int dir, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    ON_PATH(dir, path, AT_FDCWD, NONE, flags & AT_REMOVEDIR ? RMDIR : UNLINK, "unlink", real(dir, path, flags));
}
int mkdir(const char *path, mode_t mode) { REAL(int, "mkdir", const char *, mode_t); ON_PATH(AT_FDCWD, path, AT_FDCWD, NONE, MKDIR, "mkdir", real(path, mode)); }
int mkdirat(int dir, const char *path, mode_t mode) { REAL(int, "mkdirat", int, const char *, mode_t); ON_PATH(dir, path, AT_FDCWD, NONE, MKDIR, "mkdir", real(dir, path, mode)); }

/* Reads, which fail over the place that is bad. */
static int bad(int fd, off64_t at, size_t len) {
    if (bad_at < 0 || !tracked_file(fd)) return 0;
    size_t path_len = strlen(path_of[fd]), bad_len = strlen(bad_path);
    if (path_len < bad_len || strcmp(path_of[fd] + path_len - bad_len, bad_path)) return 0;
    if (at < 0) at = lseek64(fd, 0, SEEK_CUR);
    if (at > bad_at || at + (off64_t)len <= bad_at) return 0;
    static int told;
    if (!told) record(FAULT, 0, -1, 0, (uint64_t)fail_errno, "read", NULL, NULL, 0);
    told = 1;
    errno = fail_errno;
    return 1;
}

/* A file's path may be forgotten meanwhile by another thread, so there is the lock. */
static int bad_locked(int fd, off64_t at, size_t len) {
    if (bad_at < 0) return 0;
    pthread_mutex_lock(&lock);
    int answer = bad(fd, at, len);
    pthread_mutex_unlock(&lock);
    return answer;
}
ssize_t read(int fd, void *to, size_t len) { REAL(ssize_t, "read", int, void *, size_t); return bad_locked(fd, -1, len) ? -1 : real(fd, to, len); }
ssize_t pread(int fd, void *to, size_t len, off_t at) { REAL(ssize_t, "pread", int, void *, size_t, off_t); return bad_locked(fd, at, len) ? -1 : real(fd, to, len, at); }
ssize_t pread64(int fd, void *to, size_t len, off64_t at) { REAL(ssize_t, "pread64", int, void *, size_t, off64_t); return bad_locked(fd, at, len) ? -1 : real(fd, to, len, at); }

/* What the model of the disk does not know. */
void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t from) {
    REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
    if (tracked(fd) && (prot & PROT_WRITE) && (flags & MAP_SHARED)) unmodelled("mmap");
    return real(at, len, prot, flags, fd, from);
}
void *mmap64(void *at, size_t len, int prot, int flags, int fd, off64_t from) {
    REAL(void *, "mmap64", void *, size_t, int, int, int, off64_t);
    if (tracked(fd) && (prot & PROT_WRITE) && (flags & MAP_SHARED)) unmodelled("mmap");
    return real(at, len, prot, flags, fd, from);
}
int dup(int fd) { REAL(int, "dup", int); if (tracked(fd)) unmodelled("dup"); return real(fd); }
int dup2(int fd, int to) { REAL(int, "dup2", int, int); if (tracked(fd) || tracked(to)) unmodelled("dup2"); return real(fd, to); }
int dup3(int fd, int to, int flags) { REAL(int, "dup3", int, int, int); if (tracked(fd) || tracked(to)) unmodelled("dup3"); return real(fd, to, flags); }
static int fcntl_any(const char *name, int fd, int command, void *argument) {
    int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
    if (tracked(fd) && (command == F_DUPFD || command == F_DUPFD_CLOEXEC)) unmodelled("fcntl that doubles");
    return real(fd, command, argument);
}
int fcntl(int fd, int command, ...) { va_list more; va_start(more, command); void *argument = va_arg(more, void *); va_end(more); return fcntl_any("fcntl", fd, command, argument); }
int fcntl64(int fd, int command, ...) { va_list more; va_start(more, command); void *argument = va_arg(more, void *); va_end(more); return fcntl_any("fcntl64", fd, command, argument); }
int truncate(const char *path, off_t len) { REAL(int, "truncate", const char *, off_t); if (under_root(path)) unmodelled("truncate"); return real(path, len); }
int truncate64(const char *path, off64_t len) { REAL(int, "truncate64", const char *, off64_t); if (under_root(path)) unmodelled("truncate"); return real(path, len); }
int link(const char *from, const char *to) { REAL(int, "link", const char *, const char *); if (under_root(to)) unmodelled("link"); return real(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) { REAL(int, "linkat", int, const char *, int, const char *, int); if (under_root(to)) unmodelled("link"); return real(a, from, b, to, flags); }
int symlink(const char *from, const char *to) { REAL(int, "symlink", const char *, const char *); if (under_root(to)) unmodelled("symlink"); return real(from, to); }
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t len, unsigned flags) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    if (tracked(to)) unmodelled("copy_file_range");
    return real(from, a, to, b, len, flags);
}
ssize_t sendfile(int to, int from, off_t *at, size_t len) { REAL(ssize_t, "sendfile", int, int, off_t *, size_t); if (tracked(to)) unmodelled("sendfile"); return real(to, from, at, len); }
ssize_t sendfile64(int to, int from, off64_t *at, size_t len) { REAL(ssize_t, "sendfile64", int, int, off64_t *, size_t); if (tracked(to)) unmodelled("sendfile"); return real(to, from, at, len); }
ssize_t splice(int from, off64_t *a, int to, off64_t *b, size_t len, unsigned flags) { REAL(ssize_t, "splice", int, off64_t *, int, off64_t *, size_t, unsigned); if (tracked(to)) unmodelled("splice"); return real(from, a, to, b, len, flags); }
