/* The frames of a small unary call as one piece: mattermost_plugin._grpc.unary_frames in C. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

enum { DATA = 0, HEADERS = 1 };
enum { END_STREAM = 1, END_HEADERS = 4 };
enum { HEADER_SIZE = 9, PREFIX_SIZE = 5 };

/* ---- writing ---- */

static uint8_t *put_uint32(uint8_t *at, uint32_t number) {
    *at++ = (uint8_t)(number >> 24);
    *at++ = (uint8_t)(number >> 16);
    *at++ = (uint8_t)(number >> 8);
    *at++ = (uint8_t)number;
    return at;
}

static uint8_t *put_header(uint8_t *at, Py_ssize_t size, int kind, int flags, uint32_t stream_id) {
    *at++ = (uint8_t)(size >> 16);
    *at++ = (uint8_t)(size >> 8);
    *at++ = (uint8_t)size;
    *at++ = (uint8_t)kind;
    *at++ = (uint8_t)flags;
    return put_uint32(at, stream_id);
}

static uint8_t *put_bytes(uint8_t *at, PyObject *bytes) {
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    memcpy(at, PyBytes_AS_STRING(bytes), (size_t)size);
    return at + size;
}

static uint8_t *put_headers(uint8_t *at, PyObject *block, int flags, uint32_t stream_id) {
    return put_bytes(put_header(at, PyBytes_GET_SIZE(block), HEADERS, flags, stream_id), block);
}

/* Takes a call's arguments: a stream identifier, and bytes that fit into a frame each. */
static int take_parts(PyObject *const *args, Py_ssize_t count, Py_ssize_t wanted, uint32_t *stream_id) {
    if (count != wanted) {
        PyErr_Format(PyExc_TypeError, "%zd arguments are expected, not %zd", wanted, count);
        return -1;
    }
    unsigned long number = PyLong_AsUnsignedLong(args[0]);
    if (number == (unsigned long)-1 && PyErr_Occurred()) return -1;
    if (number > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "a stream identifier has 32 bits");
        return -1;
    }
    *stream_id = (uint32_t)number;
    for (Py_ssize_t index = 1; index < count; index++) {
        if (!PyBytes_Check(args[index])) {
            PyErr_Format(PyExc_TypeError, "bytes are expected, not %R", (PyObject *)Py_TYPE(args[index]));
            return -1;
        }
        if (PyBytes_GET_SIZE(args[index]) > 0xFFFFFF - PREFIX_SIZE) {
            PyErr_SetString(PyExc_OverflowError, "more than fits into a frame");
            return -1;
        }
    }
    return 0;
}

static PyObject *pack(uint32_t stream_id, PyObject *block, PyObject *message, PyObject *trailers) {
    Py_ssize_t size = PyBytes_GET_SIZE(message) + PREFIX_SIZE;
    Py_ssize_t all = HEADER_SIZE + PyBytes_GET_SIZE(block) + HEADER_SIZE + size;
    if (trailers != NULL) all += HEADER_SIZE + PyBytes_GET_SIZE(trailers);
    PyObject *packed = PyBytes_FromStringAndSize(NULL, all);
    if (packed == NULL) return NULL;
    uint8_t *at = put_headers((uint8_t *)PyBytes_AS_STRING(packed), block, END_HEADERS, stream_id);
    at = put_header(at, size, DATA, trailers == NULL ? END_STREAM : 0, stream_id);
    *at++ = 0; /* not compressed */
    at = put_uint32(at, (uint32_t)PyBytes_GET_SIZE(message));
    at = put_bytes(at, message);
    if (trailers != NULL) put_headers(at, trailers, END_HEADERS | END_STREAM, stream_id);
    return packed;
}

static PyObject *pack_request(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    uint32_t stream_id;
    if (take_parts(args, count, 3, &stream_id) < 0) return NULL;
    return pack(stream_id, args[1], args[2], NULL);
}

static PyObject *pack_response(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    uint32_t stream_id;
    if (take_parts(args, count, 4, &stream_id) < 0) return NULL;
    return pack(stream_id, args[1], args[2], args[3]);
}

/* ---- reading ---- */

typedef struct {
    const uint8_t *octets;
    Py_ssize_t size, position, limit;
} Input;

static uint32_t get_uint32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

static int take_input(PyObject *const *args, Py_ssize_t count, Input *in) {
    if (count != 3 || !PyBytes_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "bytes, a position and a limit are expected");
        return -1;
    }
    in->octets = (const uint8_t *)PyBytes_AS_STRING(args[0]);
    in->size = PyBytes_GET_SIZE(args[0]);
    in->position = PyLong_AsSsize_t(args[1]);
    if (in->position == -1 && PyErr_Occurred()) return -1;
    in->limit = PyLong_AsSsize_t(args[2]);
    if (in->limit == -1 && PyErr_Occurred()) return -1;
    if (in->position < 0) in->position = in->size; /* where nothing is */
    return 0;
}

/* Returns where the frame at a position ends, or -1 if it is not complete or not what it should be. */
static Py_ssize_t frame_end(const Input *in, Py_ssize_t position, int kind, int flags) {
    if (position < 0 || in->size - position < HEADER_SIZE) return -1;
    const uint8_t *at = in->octets + position;
    Py_ssize_t size = (Py_ssize_t)at[0] << 16 | (Py_ssize_t)at[1] << 8 | (Py_ssize_t)at[2];
    if (at[3] != kind || at[4] != flags || size > in->limit || size > in->size - position - HEADER_SIZE) return -1;
    return position + HEADER_SIZE + size;
}

/* Returns whether a DATA frame is one message that is not compressed. */
static int is_message(const Input *in, Py_ssize_t start, Py_ssize_t end) {
    const uint8_t *begin = in->octets + start + HEADER_SIZE;
    Py_ssize_t size = end - start - HEADER_SIZE - PREFIX_SIZE;
    return size >= 0 && begin[0] == 0 && (Py_ssize_t)get_uint32(begin + 1) == size;
}

static uint32_t stream_at(const Input *in, Py_ssize_t position) { return get_uint32(in->octets + position + 5); }

/* Puts what lies behind the head of a frame, and behind so many octets more, into a tuple. */
static int keep(PyObject *tuple, Py_ssize_t index, const Input *in, Py_ssize_t start, Py_ssize_t skip, Py_ssize_t end) {
    Py_ssize_t begin = start + HEADER_SIZE + skip;
    PyObject *part = PyBytes_FromStringAndSize((const char *)in->octets + begin, end - begin);
    if (part == NULL) return -1;
    PyTuple_SET_ITEM(tuple, index, part);
    return 0;
}

static int keep_number(PyObject *tuple, Py_ssize_t index, Py_ssize_t value) {
    PyObject *number = PyLong_FromSsize_t(value);
    if (number == NULL) return -1;
    PyTuple_SET_ITEM(tuple, index, number);
    return 0;
}

static PyObject *unpack(PyObject *const *args, Py_ssize_t count, int response) {
    Input in;
    if (take_input(args, count, &in) < 0) return NULL;
    Py_ssize_t stop = frame_end(&in, in.position, HEADERS, END_HEADERS);
    Py_ssize_t last = frame_end(&in, stop, DATA, response ? 0 : END_STREAM);
    Py_ssize_t end = response ? frame_end(&in, last, HEADERS, END_HEADERS | END_STREAM) : last;
    if (end < 0 || !is_message(&in, stop, last)) Py_RETURN_NONE;
    uint32_t stream_id = stream_at(&in, in.position);
    if (stream_at(&in, stop) != stream_id || (response && stream_at(&in, last) != stream_id)) Py_RETURN_NONE;
    Py_ssize_t size = response ? 5 : 4;
    PyObject *found = PyTuple_New(size);
    if (found == NULL) return NULL;
    if (keep_number(found, 0, (Py_ssize_t)stream_id) < 0 || keep(found, 1, &in, in.position, 0, stop) < 0 ||
        keep(found, 2, &in, stop, PREFIX_SIZE, last) < 0 || (response && keep(found, 3, &in, last, 0, end) < 0) ||
        keep_number(found, size - 1, end) < 0) {
        Py_DECREF(found);
        return NULL;
    }
    return found;
}

static PyObject *unpack_request(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    return unpack(args, count, 0);
}

static PyObject *unpack_response(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    return unpack(args, count, 1);
}

/* ---- the module ---- */

#define FUNCTION(name, doc) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, doc}

static PyMethodDef functions[] = {
    FUNCTION(pack_request, "Return a request."),
    FUNCTION(pack_response, "Return a response."),
    FUNCTION(unpack_request, "Return a request whose frames begin at a position, or None."),
    FUNCTION(unpack_response, "Return a response whose frames begin at a position, or None."),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_unary_frames",
    .m_doc = "The frames of a small unary call as one piece.",
    .m_size = 0,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__unary_frames(void) { return PyModuleDef_Init(&definition); }
