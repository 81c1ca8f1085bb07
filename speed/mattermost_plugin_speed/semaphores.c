/* Semaphores of threads that take turns: mattermost_plugin._grpc.threads.semaphores in C.

   To wake another thread and to wait is one step here, in this order: let go of the interpreter's lock, post the
   other's semaphore, wait for one's own. So the thread that is woken finds the lock free. In Python, the lock is
   still held while the other one is woken, and that one would wait for it, be woken again, and so on. */

#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>

#include <errno.h>
#include <math.h>
#include <semaphore.h>
#include <time.h>

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 30)
#define WAIT_CLOCK CLOCK_MONOTONIC
#define wait_until(semaphore, moment) sem_clockwait(semaphore, CLOCK_MONOTONIC, moment)
#else
#define WAIT_CLOCK CLOCK_REALTIME
#define wait_until(semaphore, moment) sem_timedwait(semaphore, moment)
#endif

/* Seconds after which no one waits any more: some 30 years. */
#define LONGEST 1e9

typedef struct {
    PyObject_HEAD
    sem_t semaphore;
} Semaphore;

static PyTypeObject SemaphoreType;

static PyObject *semaphore_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    if (PyTuple_GET_SIZE(args) || (keywords != NULL && PyDict_GET_SIZE(keywords))) {
        PyErr_SetString(PyExc_TypeError, "Semaphore() takes no arguments");
        return NULL;
    }
    Semaphore *self = (Semaphore *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    if (sem_init(&self->semaphore, 0, 0) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        type->tp_free(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void semaphore_dealloc(Semaphore *self) {
    sem_destroy(&self->semaphore); /* nobody waits: who does has a reference */
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *semaphore_post(Semaphore *self, PyObject *Py_UNUSED(nothing)) {
    sem_post(&self->semaphore); /* fails only beyond two billion */
    Py_RETURN_NONE;
}

/* What time.monotonic() reads, by the clock that is waited with. */
static int moment_of(double deadline, struct timespec *moment) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double remaining = deadline - ((double)now.tv_sec + (double)now.tv_nsec * 1e-9);
    if (isnan(remaining)) {
        PyErr_SetString(PyExc_ValueError, "the deadline is not a number");
        return -1;
    }
    remaining = remaining < 0 ? 0 : remaining > LONGEST ? LONGEST : remaining;
    if (WAIT_CLOCK != CLOCK_MONOTONIC) clock_gettime(WAIT_CLOCK, &now);
    time_t seconds = (time_t)remaining;
    long nanoseconds = now.tv_nsec + (long)((remaining - (double)seconds) * 1e9);
    moment->tv_sec = now.tv_sec + seconds + nanoseconds / 1000000000;
    moment->tv_nsec = nanoseconds % 1000000000;
    return 0;
}

static PyObject *semaphore_wait(Semaphore *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 1 && count != 2) {
        PyErr_SetString(PyExc_TypeError, "wait() takes a deadline, and another semaphore or not");
        return NULL;
    }
    int limited = args[0] != Py_None;
    struct timespec moment = {0, 0};
    if (limited) {
        double deadline = PyFloat_AsDouble(args[0]);
        if (deadline == -1.0 && PyErr_Occurred()) return NULL;
        if (moment_of(deadline, &moment) < 0) return NULL;
    }
    Semaphore *other = NULL;
    if (count == 2 && args[1] != Py_None) {
        if (!Py_IS_TYPE(args[1], &SemaphoreType)) {
            PyErr_Format(PyExc_TypeError, "not a semaphore: %R", args[1]);
            return NULL;
        }
        other = (Semaphore *)args[1]; /* the caller's reference lasts until this returns */
    }
    for (;;) {
        int failed;
        Py_BEGIN_ALLOW_THREADS
        if (other != NULL) sem_post(&other->semaphore);
        failed = limited ? wait_until(&self->semaphore, &moment) : sem_wait(&self->semaphore);
        failed = failed ? errno : 0;
        Py_END_ALLOW_THREADS
        other = NULL;
        if (!failed) Py_RETURN_TRUE;
        if (failed == ETIMEDOUT) Py_RETURN_FALSE;
        if (failed != EINTR) {
            errno = failed;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        if (PyErr_CheckSignals() < 0) return NULL;
    }
}

static PyMethodDef semaphore_methods[] = {
    {"post", (PyCFunction)semaphore_post, METH_NOARGS, "Wake the thread that waits, or else the next one that would."},
    {"wait", (PyCFunction)(void (*)(void))semaphore_wait, METH_FASTCALL,
     "Post another semaphore if there is one, and wait until this one is posted; False: it was not in time."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject SemaphoreType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "mattermost_plugin_speed._semaphores.Semaphore",
    .tp_basicsize = sizeof(Semaphore),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Lets one thread wait; waking it beforehand counts.",
    .tp_new = semaphore_new,
    .tp_dealloc = (destructor)semaphore_dealloc,
    .tp_methods = semaphore_methods,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_semaphores",
    .m_doc = "Semaphores of threads that take turns.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__semaphores(void) {
    if (PyType_Ready(&SemaphoreType) < 0) return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made == NULL) return NULL;
    Py_INCREF(&SemaphoreType);
    if (PyModule_AddObject(made, "Semaphore", (PyObject *)&SemaphoreType) < 0) {
        Py_DECREF(&SemaphoreType);
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
