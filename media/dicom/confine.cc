#include "media/dicom/confine.h"
#include <cerrno>
#include <csignal>
#include <grp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const uid_t NOBODY = 65534;

static bool
limit (__rlimit_resource resource, rlim_t value)
{
  const struct rlimit both = { value, value };
  return setrlimit (resource, &both) == 0;
}

static bool
become_nobody ()
{
  if (geteuid () != 0)
    return true;
  return setgroups (0, nullptr) == 0 && setresgid (NOBODY, NOBODY, NOBODY) == 0
         && setresuid (NOBODY, NOBODY, NOBODY) == 0;
}

bool
confine_limits (unsigned long memory_bytes, unsigned cpu_seconds, unsigned long file_bytes)
{
  return become_nobody () && prctl (PR_SET_PDEATHSIG, SIGKILL) == 0
         && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl (PR_SET_DUMPABLE, 0) == 0
         && limit (RLIMIT_CORE, 0) && limit (RLIMIT_AS, memory_bytes)
         && limit (RLIMIT_CPU, cpu_seconds) && limit (RLIMIT_FSIZE, file_bytes)
         && limit (RLIMIT_NOFILE, 16) && limit (RLIMIT_NPROC, 0) && chdir ("/") == 0;
}

static const int allowed[] = {
  SCMP_SYS (read),           SCMP_SYS (readv),
  SCMP_SYS (pread64),        SCMP_SYS (write),
  SCMP_SYS (writev),         SCMP_SYS (pwrite64),
  SCMP_SYS (lseek),          SCMP_SYS (close),
  SCMP_SYS (fstat),          SCMP_SYS (newfstatat),
  SCMP_SYS (ftruncate),      SCMP_SYS (fcntl),
  SCMP_SYS (memfd_create),   SCMP_SYS (recvfrom),
  SCMP_SYS (recvmsg),        SCMP_SYS (sendto),
  SCMP_SYS (sendmsg),        SCMP_SYS (shutdown),
  SCMP_SYS (getsockopt),     SCMP_SYS (setsockopt),
  SCMP_SYS (getpeername),    SCMP_SYS (getsockname),
  SCMP_SYS (poll),           SCMP_SYS (ppoll),
  SCMP_SYS (select),         SCMP_SYS (pselect6),
  SCMP_SYS (mmap),           SCMP_SYS (munmap),
  SCMP_SYS (mremap),         SCMP_SYS (mprotect),
  SCMP_SYS (madvise),        SCMP_SYS (brk),
  SCMP_SYS (futex),          SCMP_SYS (getpid),
  SCMP_SYS (gettid),         SCMP_SYS (clock_gettime),
  SCMP_SYS (gettimeofday),   SCMP_SYS (time),
  SCMP_SYS (nanosleep),      SCMP_SYS (clock_nanosleep),
  SCMP_SYS (getrandom),      SCMP_SYS (rt_sigaction),
  SCMP_SYS (rt_sigprocmask), SCMP_SYS (rt_sigreturn),
  SCMP_SYS (sigaltstack),    SCMP_SYS (exit),
  SCMP_SYS (exit_group),     SCMP_SYS (restart_syscall),
};

/* What making a connection takes besides, and the filter after it. */
static const int connecting[] = {
  SCMP_SYS (socket), SCMP_SYS (connect), SCMP_SYS (bind), SCMP_SYS (seccomp), SCMP_SYS (prctl),
};

/* Everything else fails with EPERM, so that a library that only asks goes on without. */
static bool
load_filter (bool with_connecting)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ERRNO (EPERM));
  bool ok = filter != nullptr;
  for (int call : allowed)
    ok = ok && seccomp_rule_add (filter, SCMP_ACT_ALLOW, call, 0) == 0;
  for (int call : connecting)
    ok = ok && (!with_connecting || seccomp_rule_add (filter, SCMP_ACT_ALLOW, call, 0) == 0);
  ok = ok && seccomp_load (filter) == 0;
  if (filter != nullptr)
    seccomp_release (filter);
  return ok;
}

bool
confine_calls ()
{
  return load_filter (false);
}

bool
confine_calls_but_connecting ()
{
  return load_filter (true);
}
