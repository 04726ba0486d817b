// A time of day that can be set for some processes alone, by LD_PRELOAD.
//
// The file named by FAKE_CLOCK holds how many seconds the clock is fast, as a
// 64-bit number that all processes map. CLOCK_MONOTONIC is left as it is. Waits
// until a time of day end by the clock as it is then, as the kernel's do when
// it is set meanwhile: they are made in slices, after each of which the clock
// is looked at.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS 200000000L
#define SECOND_NS 1000000000L
// Deadlines of the monotonic clock are smaller, those of the day larger.
#define FIRST_DATE 500000000L

typedef int (*clock_get)(clockid_t, struct timespec *);
typedef int (*cond_wait)(pthread_cond_t *, pthread_mutex_t *,
                         const struct timespec *);
typedef int (*cond_clock_wait)(pthread_cond_t *, pthread_mutex_t *, clockid_t,
                               const struct timespec *);
typedef int (*sem_wait_until)(sem_t *, const struct timespec *);
typedef int (*sem_clock_wait)(sem_t *, clockid_t, const struct timespec *);
typedef long (*system_call)(long, long, long, long, long, long, long);

static const volatile int64_t none = 0;
static const volatile int64_t *fast = &none;
static cond_wait next_cond_wait;
static cond_clock_wait next_cond_clock_wait;
static sem_wait_until next_sem_wait;
static sem_clock_wait next_sem_clock_wait;
static system_call next_syscall;

__attribute__((constructor)) static void start(void) {
  // Without a version one might get that of long ago, of another layout.
  next_cond_wait =
      (cond_wait)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (!next_cond_wait)
    next_cond_wait = (cond_wait)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  next_cond_clock_wait =
      (cond_clock_wait)dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  next_sem_wait = (sem_wait_until)dlsym(RTLD_NEXT, "sem_timedwait");
  next_sem_clock_wait = (sem_clock_wait)dlsym(RTLD_NEXT, "sem_clockwait");
  next_syscall = (system_call)dlsym(RTLD_NEXT, "syscall");
  const char *path = getenv("FAKE_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (map != MAP_FAILED) fast = map;
  close(file);
}

static int of_the_day(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

// Asked for before `start`, too.
static int right_time(clockid_t clock, struct timespec *now) {
  static clock_get next;
  if (!next) next = (clock_get)dlsym(RTLD_NEXT, "clock_gettime");
  return next(clock, now);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = right_time(clock, now);
  if (!result && of_the_day(clock)) now->tv_sec += *fast;
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec exact;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}

// The end, by the right clock, of the next slice of a wait; whether it is the
// last one.
static int slice(const struct timespec *deadline, struct timespec *end) {
  struct timespec now;
  right_time(CLOCK_REALTIME, &now);
  int64_t left = (deadline->tv_sec - *fast - now.tv_sec) * SECOND_NS +
                 deadline->tv_nsec - now.tv_nsec;
  int last = left <= SLICE_NS;
  int64_t wait = last ? (left > 0 ? left : 0) : SLICE_NS;
  int64_t until = now.tv_nsec + wait;
  end->tv_sec = now.tv_sec + until / SECOND_NS;
  end->tv_nsec = until % SECOND_NS;
  return last;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *deadline) {
  if (deadline->tv_sec < FIRST_DATE)
    return next_cond_wait(cond, mutex, deadline);
  struct timespec end;
  int last = slice(deadline, &end);
  int result = next_cond_wait(cond, mutex, &end);
  // Who waits must take a wake-up for nothing anyway, and looks again.
  return result == ETIMEDOUT && !last ? 0 : result;
}

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           clockid_t clock, const struct timespec *deadline) {
  if (!of_the_day(clock))
    return next_cond_clock_wait(cond, mutex, clock, deadline);
  struct timespec end;
  int last = slice(deadline, &end);
  int result = next_cond_clock_wait(cond, mutex, clock, &end);
  return result == ETIMEDOUT && !last ? 0 : result;
}

int sem_timedwait(sem_t *sem, const struct timespec *deadline) {
  struct timespec end;
  int last, result;
  do {
    last = slice(deadline, &end);
    result = next_sem_wait(sem, &end);
  } while (result && errno == ETIMEDOUT && !last);
  return result;
}

int sem_clockwait(sem_t *sem, clockid_t clock,
                  const struct timespec *deadline) {
  return of_the_day(clock) ? sem_timedwait(sem, deadline)
                           : next_sem_clock_wait(sem, clock, deadline);
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long),
       d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
  int is_timed = number == SYS_futex && d && (b & FUTEX_CLOCK_REALTIME) &&
                 (b & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
  if (!is_timed) {
    long result = next_syscall(number, a, b, c, d, e, f);
    if (!result && number == SYS_clock_gettime && of_the_day(a))
      ((struct timespec *)b)->tv_sec += *fast;
    return result;
  }
  struct timespec end;
  int last;
  long result;
  do {
    last = slice((const struct timespec *)d, &end);
    result = next_syscall(number, a, b, c, (long)&end, e, f);
  } while (result && errno == ETIMEDOUT && !last);
  return result;
}
