/* Protobuf messages to models and back, by tables: see mattermost_plugin/_codec/compiled.py; forms.py has the
 * meaning of the forms.
 *
 * Whatever is not ordinary is left to the codecs in Python: a function that returns LEAVE has raised nothing,
 * and what it has done so far is thrown away. Only what a codec in Python could not do better (no memory, an
 * interruption, a missing module) is raised from here.
 *
 * The models' slots are read and written at their offsets, as CPython's own descriptors do. The layouts and
 * their codecs live as long as the process, so nothing here takes part in garbage collection.
 *
 * What lies in static variables is guarded by the interpreter's lock and belongs to one interpreter: the module
 * refuses to be loaded without a lock, or by a second interpreter.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>

enum { OK = 0, LEAVE = -1, RAISED = -2 };
enum { VARINT = 0, FIXED64 = 1, CHUNK = 2, FIXED32 = 5 };

/* Deeper trees are left to Python, which says what is wrong with them. */
#define MAX_DEPTH 64

/* What protobuf has for the length of a message, and for the octets of a tag or a length. */
#define MAX_SIZE INT32_MAX
#define SHORT 5

/* What start() was given. */
static PyObject *layout_of, *decode_value, *encode_value;
static unsigned int bool_case, int64_case, double_case, string_case, list_case, map_case;

static PyObject *no_text, *no_bytes, *zero;

typedef struct {
    uint32_t number;
    char many; /* what stands before the kind, or 0 */
    char kind;
    Py_ssize_t offset;   /* of the value in a model or tuple */
    PyObject *reference; /* "module/name", or NULL */
    PyObject *target;    /* the Layout or dict it names, once it is needed */
} Field;

typedef struct {
    PyObject_HEAD
    PyTypeObject *model; /* NULL: a tuple of all values */
    Py_ssize_t count;    /* of fields */
    Py_ssize_t values;   /* of fields that are values: those before the first '!' */
    Field *fields;
} Layout;

static PyTypeObject *layout_type;

/* Turns an exception that a codec in Python would explain into LEAVE. */
static int
leave_or_raise(void)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return RAISED;
    }
    PyErr_Clear();
    return LEAVE;
}

/* Returns the Layout or dict (borrowed) that a field needs, or NULL with an exception. */
static PyObject *
target_of(Field *field)
{
    if (field->target == NULL) {
        PyObject *found = PyObject_CallOneArg(layout_of, field->reference);
        if (found == NULL) {
            return NULL;
        }
        if (!(field->kind == 'm' ? Py_IS_TYPE(found, layout_type) : PyDict_Check(found))) {
            PyErr_Format(PyExc_TypeError, "%U: not what a field of kind %c needs", field->reference, field->kind);
            Py_DECREF(found);
            return NULL;
        }
        if (field->target != NULL) {
            Py_DECREF(found); /* another thread was here meanwhile, and may be using what it found */
        }
        else {
            field->target = found;
        }
    }
    return field->target;
}

static inline PyObject **
place_of(PyObject *holder, const Field *field)
{
    return (PyObject **)((char *)holder + field->offset);
}

/* ---- reading ---- */

typedef struct {
    const uint8_t *at, *end;
} Input;

/* Reads a number of at most so many octets: ten are 64 bits, and nobody needs more octets than the number does. */
static int
read_number(Input *in, int octets, uint64_t *number)
{
    uint64_t sum = 0;
    for (int index = 0; index < octets && in->at < in->end; index++) {
        uint8_t byte = *in->at++;
        if (index == 9 && byte > 1) {
            return LEAVE;
        }
        sum |= (uint64_t)(byte & 127) << 7 * index;
        if (byte < 128) {
            *number = sum;
            return OK;
        }
    }
    return LEAVE;
}

static inline int
read_varint(Input *in, uint64_t *number)
{
    if (in->at < in->end && *in->at < 128) {
        *number = *in->at++;
        return OK;
    }
    return read_number(in, 10, number);
}

static int
read_chunk(Input *in, Input *content)
{
    uint64_t size;
    if (in->at < in->end && *in->at < 128) {
        size = *in->at++;
    }
    else if (read_number(in, SHORT, &size) < 0) {
        return LEAVE;
    }
    if (size > (uint64_t)(in->end - in->at)) {
        return LEAVE;
    }
    content->at = in->at;
    content->end = in->at += size;
    return OK;
}

static int
read_tag(Input *in, uint32_t *number, int *wire)
{
    uint64_t tag;
    if (in->at < in->end && *in->at < 128) {
        tag = *in->at++;
    }
    else if (read_number(in, SHORT, &tag) < 0) {
        return LEAVE;
    }
    if (tag > UINT32_MAX || tag < 8) {
        return LEAVE;
    }
    *number = (uint32_t)(tag >> 3);
    *wire = tag & 7;
    return OK;
}

static int
skip(Input *in, int wire)
{
    uint64_t number;
    Input content;
    switch (wire) {
    case VARINT:
        return read_varint(in, &number);
    case CHUNK:
        return read_chunk(in, &content);
    case FIXED64:
    case FIXED32: {
        int size = wire == FIXED64 ? 8 : 4;
        if (in->end - in->at < size) {
            return LEAVE;
        }
        in->at += size;
        return OK;
    }
    default:
        return LEAVE;
    }
}

static int
make_text(Input content, PyObject **value)
{
    if (content.at == content.end) {
        *value = Py_NewRef(no_text);
        return OK;
    }
    *value = PyUnicode_DecodeUTF8((const char *)content.at, content.end - content.at, NULL);
    return *value == NULL ? leave_or_raise() : OK;
}

static int
made(PyObject *value, PyObject **out)
{
    *out = value;
    return value == NULL ? RAISED : OK;
}

/* Eight octets, the lowest first. */
static double
double_at(const uint8_t *octets)
{
    uint64_t bits = 0;
    double number;
    for (int index = 7; index >= 0; index--) {
        bits = bits << 8 | octets[index];
    }
    memcpy(&number, &bits, sizeof number);
    return number;
}

static int read_any(Input content, PyObject **value, int depth);

/* A ValueList: field 1 are its items. */
static int
read_any_list(Input in, PyObject **value, int depth)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return RAISED;
    }
    int result = OK;
    while (result == OK && in.at < in.end) {
        uint32_t number;
        int wire;
        Input content;
        PyObject *item = NULL;
        if (read_tag(&in, &number, &wire) < 0 || number != 1 || wire != CHUNK || read_chunk(&in, &content) < 0) {
            result = LEAVE;
        }
        else if ((result = read_any(content, &item, depth)) == OK) {
            result = PyList_Append(list, item) < 0 ? RAISED : OK;
            Py_DECREF(item);
        }
    }
    if (result != OK) {
        Py_CLEAR(list);
    }
    *value = list;
    return result;
}

/* An entry of a map from texts: its key, and its value's type and place; wire is -1 where it has no value. */
static int
read_entry(Input in, PyObject **key, int *wire, Input *content)
{
    Input name = {NULL, NULL};
    *wire = -1;
    while (in.at < in.end) {
        uint32_t number;
        int type;
        if (read_tag(&in, &number, &type) < 0) {
            return LEAVE;
        }
        if (number == 1 && type == CHUNK && name.at == NULL) {
            if (read_chunk(&in, &name) < 0) {
                return LEAVE;
            }
        }
        else if (number == 2 && *wire == -1) {
            content->at = in.at;
            if (skip(&in, type) < 0) {
                return LEAVE;
            }
            content->end = in.at;
            *wire = type;
        }
        else {
            return LEAVE; /* a second one, or one of another kind */
        }
    }
    return make_text(name, key);
}

/* A ValueMap: field 1 are its entries. */
static int
read_any_map(Input in, PyObject **value, int depth)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL) {
        return RAISED;
    }
    int result = OK;
    while (result == OK && in.at < in.end) {
        uint32_t number;
        int wire;
        Input entry, field, content = {NULL, NULL};
        PyObject *key = NULL, *item = NULL;
        if (read_tag(&in, &number, &wire) < 0 || number != 1 || wire != CHUNK || read_chunk(&in, &entry) < 0) {
            result = LEAVE;
            break;
        }
        result = read_entry(entry, &key, &wire, &field);
        if (result == OK && wire != -1 && (wire != CHUNK || read_chunk(&field, &content) < 0)) {
            result = LEAVE;
        }
        if (result == OK) {
            result = read_any(content, &item, depth);
        }
        if (result == OK) {
            result = PyDict_SetItem(dict, key, item) < 0 ? RAISED : OK;
        }
        Py_XDECREF(key);
        Py_XDECREF(item);
    }
    if (result != OK) {
        Py_CLEAR(dict);
    }
    *value = dict;
    return result;
}

/* What Go's any holds, natively where it is a usual value. */
static int
read_any(Input content, PyObject **value, int depth)
{
    if (content.at == content.end) {
        *value = Py_NewRef(Py_None);
        return OK;
    }
    Input in = content, inner;
    uint32_t number;
    int wire;
    uint64_t bits;
    if (depth < MAX_DEPTH && read_tag(&in, &number, &wire) == OK) {
        if (wire == CHUNK && read_chunk(&in, &inner) == OK && in.at == in.end) {
            if (number == string_case) {
                return make_text(inner, value);
            }
            if (number == list_case) {
                return read_any_list(inner, value, depth + 1);
            }
            if (number == map_case) {
                return read_any_map(inner, value, depth + 1);
            }
        }
        else if (wire == VARINT && read_varint(&in, &bits) == OK && in.at == in.end) {
            if (number == bool_case) {
                *value = Py_NewRef(bits ? Py_True : Py_False);
                return OK;
            }
            if (number == int64_case) {
                return made(PyLong_FromLongLong((int64_t)bits), value);
            }
        }
        else if (wire == FIXED64 && number == double_case && in.end - in.at == 8) {
            return made(PyFloat_FromDouble(double_at(in.at)), value);
        }
    }
    PyObject *raw = PyBytes_FromStringAndSize((const char *)content.at, content.end - content.at);
    if (raw == NULL) {
        return RAISED;
    }
    *value = PyObject_CallOneArg(decode_value, raw);
    Py_DECREF(raw);
    return *value == NULL ? leave_or_raise() : OK;
}

static int read_fields(Layout *layout, Input in, PyObject *holder, int depth);

static int
read_message(Layout *layout, Input in, PyObject **value, int depth)
{
    if (depth >= MAX_DEPTH) {
        return LEAVE;
    }
    PyObject *holder;
    if (layout->model != NULL) {
        holder = layout->model->tp_alloc(layout->model, 0);
    }
    else {
        holder = PyTuple_New(layout->values);
    }
    if (holder == NULL) {
        return RAISED;
    }
    /* Nobody is to find it by the garbage collector before it is complete. */
    int tracked = PyObject_GC_IsTracked(holder);
    if (tracked) {
        PyObject_GC_UnTrack(holder);
    }
    int result = read_fields(layout, in, holder, depth);
    if (result != OK) {
        Py_DECREF(holder);
        return result;
    }
    if (tracked) {
        PyObject_GC_Track(holder);
    }
    *value = holder;
    return OK;
}

/* One value of a field, whatever may stand before its kind. */
static int
read_value(Field *field, int wire, Input *in, PyObject **value, int depth)
{
    uint64_t bits = 0;
    Input content;
    PyObject *target;
    switch (field->kind) {
    case 's':
    case 'y':
    case 'e':
    case 'm':
    case 'v':
        if (wire != CHUNK || read_chunk(in, &content) < 0) {
            return LEAVE;
        }
        break;
    case 'b':
    case 'i':
    case 'u':
    case 'U':
        if (wire != VARINT || read_varint(in, &bits) < 0) {
            return LEAVE;
        }
        break;
    default:
        return LEAVE;
    }
    switch (field->kind) {
    case 's':
        return make_text(content, value);
    case 'b':
        *value = Py_NewRef(bits ? Py_True : Py_False);
        return OK;
    case 'i':
        return made(PyLong_FromLongLong((int64_t)bits), value);
    case 'u':
        return made(PyLong_FromUnsignedLong((uint32_t)bits), value);
    case 'U':
        return made(PyLong_FromUnsignedLongLong(bits), value);
    case 'y':
        return made(PyBytes_FromStringAndSize((const char *)content.at, content.end - content.at), value);
    case 'v':
        return read_any(content, value, depth);
    case 'm':
        target = target_of(field);
        return target == NULL ? RAISED : read_message((Layout *)target, content, value, depth + 1);
    default: { /* 'e' */
        PyObject *text;
        int result = make_text(content, &text);
        if (result != OK) {
            return result;
        }
        target = target_of(field);
        *value = target == NULL ? NULL : PyObject_GetItem(target, text);
        Py_DECREF(text);
        return *value == NULL ? RAISED : OK;
    }
    }
}

/* What a field holds that is not there; many as in Field. */
static int
absent_value(Field *field, char many, PyObject **value, int depth)
{
    Input nothing = {NULL, NULL};
    PyObject *target;
    switch (many) {
    case '[':
        return made(PyList_New(0), value);
    case '{':
        return made(PyDict_New(), value);
    case '?':
    case '*':
        *value = Py_NewRef(Py_None);
        return OK;
    }
    switch (field->kind) {
    case 's':
        *value = Py_NewRef(no_text);
        return OK;
    case 'b':
        *value = Py_NewRef(Py_False);
        return OK;
    case 'i':
    case 'u':
    case 'U':
        *value = Py_NewRef(zero);
        return OK;
    case 'y':
        *value = Py_NewRef(no_bytes);
        return OK;
    case 'v':
        *value = Py_NewRef(Py_None);
        return OK;
    case 'e':
        target = target_of(field);
        return made(target == NULL ? NULL : PyObject_GetItem(target, no_text), value);
    case 'm':
        target = target_of(field);
        return target == NULL ? RAISED : read_message((Layout *)target, nothing, value, depth + 1);
    default:
        return LEAVE;
    }
}

static int
read_item(Field *field, int wire, Input *in, PyObject **place, int depth)
{
    if (*place == NULL && (*place = PyList_New(0)) == NULL) {
        return RAISED;
    }
    PyObject *item;
    int result = read_value(field, wire, in, &item, depth);
    if (result == OK) {
        result = PyList_Append(*place, item) < 0 ? RAISED : OK;
        Py_DECREF(item);
    }
    return result;
}

static int
read_map_entry(Field *field, int wire, Input *in, PyObject **place, int depth)
{
    if (*place == NULL && (*place = PyDict_New()) == NULL) {
        return RAISED;
    }
    Input entry, content;
    PyObject *key = NULL, *item = NULL;
    if (wire != CHUNK || read_chunk(in, &entry) < 0) {
        return LEAVE;
    }
    int result = read_entry(entry, &key, &wire, &content);
    if (result != OK) {
        return result;
    }
    if (wire == -1) {
        result = absent_value(field, 0, &item, depth);
    }
    else {
        result = read_value(field, wire, &content, &item, depth);
    }
    if (result == OK) {
        result = PyDict_SetItem(*place, key, item) < 0 ? RAISED : OK;
        Py_DECREF(item);
    }
    Py_DECREF(key);
    return result;
}

static int
read_fields(Layout *layout, Input in, PyObject *holder, int depth)
{
    Field *fields = layout->fields, *end = fields + layout->count, *next = fields;
    while (in.at < in.end) {
        uint32_t number;
        int wire, result;
        if (read_tag(&in, &number, &wire) < 0) {
            return LEAVE;
        }
        /* Fields mostly come in the order of the table. */
        Field *field = next;
        while (field < end && field->number != number) {
            field++;
        }
        if (field == end) {
            for (field = fields; field < next && field->number != number; field++) {
            }
            if (field == next) {
                if (skip(&in, wire) < 0) {
                    return LEAVE;
                }
                continue;
            }
        }
        next = field;
        if (field->kind == '!' || field->kind == 'o') {
            return LEAVE;
        }
        PyObject **place = place_of(holder, field);
        if (field->many == '[') {
            result = read_item(field, wire, &in, place, depth);
        }
        else if (field->many == '{') {
            result = read_map_entry(field, wire, &in, place, depth);
        }
        else if (*place != NULL && field->kind == 'm') {
            result = LEAVE; /* protobuf merges the two */
        }
        else {
            PyObject *value;
            result = read_value(field, wire, &in, &value, depth);
            if (result == OK) {
                Py_XSETREF(*place, value);
            }
        }
        if (result != OK) {
            return result;
        }
    }
    for (Field *field = fields; field < fields + layout->values; field++) {
        PyObject **place = place_of(holder, field);
        if (*place == NULL) {
            PyObject *value;
            int result = absent_value(field, field->many, &value, depth);
            if (result != OK) {
                return result;
            }
            *place = value;
        }
    }
    return OK;
}

/* ---- writing: from the end to the beginning, because a length stands before what it measures ---- */

/* A text or bytes of this size is copied once, at the end, and not each time the buffer grows. */
#define LARGE 4096

typedef struct {
    PyObject *owner; /* of the content */
    const char *content;
    Py_ssize_t size;
    Py_ssize_t behind; /* octets of the buffer that come behind it */
} Piece;

typedef struct {
    uint8_t *start, *at, *end;
    Piece *pieces; /* the last one first */
    Py_ssize_t count, capacity;
    Py_ssize_t apart; /* octets in pieces */
    uint8_t space[1000];
} Output;

static void
open_output(Output *out)
{
    out->start = out->space;
    out->at = out->end = out->space + sizeof(out->space);
    out->pieces = NULL;
    out->count = out->capacity = out->apart = 0;
}

static void
close_output(Output *out)
{
    for (Py_ssize_t index = 0; index < out->count; index++) {
        Py_DECREF(out->pieces[index].owner);
    }
    PyMem_Free(out->pieces);
    if (out->start != out->space) {
        PyMem_Free(out->start);
    }
}

/* How many octets there are so far. */
static inline Py_ssize_t
written(const Output *out)
{
    return out->end - out->at + out->apart;
}

/* Returns them all. */
static PyObject *
joined(Output *out)
{
    PyObject *raw = PyBytes_FromStringAndSize(NULL, written(out));
    if (raw == NULL) {
        return NULL;
    }
    char *to = PyBytes_AS_STRING(raw) + PyBytes_GET_SIZE(raw);
    uint8_t *from = out->end;
    for (Py_ssize_t index = 0; index < out->count; index++) {
        Piece *piece = &out->pieces[index];
        Py_ssize_t size = piece->behind - (out->end - from);
        to -= size;
        from -= size;
        memcpy(to, from, size);
        to -= piece->size;
        memcpy(to, piece->content, piece->size);
    }
    memcpy(PyBytes_AS_STRING(raw), out->at, from - out->at);
    return raw;
}

static int
grow(Output *out, Py_ssize_t more)
{
    Py_ssize_t used = out->end - out->at, size = (out->end - out->start + more) * 2;
    uint8_t *larger = PyMem_Malloc(size);
    if (larger == NULL) {
        PyErr_NoMemory();
        return RAISED;
    }
    memcpy(larger + size - used, out->at, used);
    if (out->start != out->space) {
        PyMem_Free(out->start);
    }
    out->start = larger;
    out->end = larger + size;
    out->at = out->end - used;
    return OK;
}

static inline int
room(Output *out, Py_ssize_t size)
{
    return out->at - out->start >= size ? OK : grow(out, size);
}

/* Writes the content of a text or bytes, which belongs to the owner. */
static int
put_content(Output *out, PyObject *owner, const char *content, Py_ssize_t size)
{
    if (size < LARGE) {
        if (room(out, size) < 0) {
            return RAISED;
        }
        out->at -= size;
        memcpy(out->at, content, size);
        return OK;
    }
    if (out->count == out->capacity) {
        Py_ssize_t capacity = out->capacity * 2 + 4;
        Piece *pieces = PyMem_Realloc(out->pieces, capacity * sizeof(Piece));
        if (pieces == NULL) {
            PyErr_NoMemory();
            return RAISED;
        }
        out->pieces = pieces;
        out->capacity = capacity;
    }
    out->pieces[out->count++] = (Piece){Py_NewRef(owner), content, size, out->end - out->at};
    out->apart += size;
    return OK;
}

static int
put_octets(Output *out, PyObject *value)
{
    return put_content(out, value, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
}

static int
put_varint(Output *out, uint64_t number)
{
    if (room(out, 10) < 0) {
        return RAISED;
    }
    int size = 1;
    for (uint64_t rest = number; rest >= 128; rest >>= 7) {
        size++;
    }
    uint8_t *to = out->at -= size;
    while (number >= 128) {
        *to++ = (uint8_t)number | 128;
        number >>= 7;
    }
    *to = (uint8_t)number;
    return OK;
}

static int
put_tag(Output *out, uint32_t number, int wire)
{
    return put_varint(out, (uint64_t)number << 3 | wire);
}

/* The length and tag of what has been written since the buffer had so many octets. */
static int
close_chunk(Output *out, Py_ssize_t before, uint32_t number)
{
    if (put_varint(out, written(out) - before) < 0) {
        return RAISED;
    }
    return put_tag(out, number, CHUNK);
}

/* Whether it is a text that compares as one: an author's class may have other ideas of what is empty. */
static inline int
is_text(PyObject *value)
{
    return PyUnicode_CheckExact(value) ||
           (PyUnicode_Check(value) && Py_TYPE(value)->tp_richcompare == PyUnicode_Type.tp_richcompare);
}

static int
put_text(Output *out, PyObject *value)
{
    if (PyUnicode_GET_LENGTH(value) >= LARGE && !PyUnicode_IS_ASCII(value)) {
        /* A large text does not keep its octets: most are sent once. */
        PyObject *octets = PyUnicode_AsUTF8String(value);
        if (octets == NULL) {
            return leave_or_raise();
        }
        int result = put_octets(out, octets);
        Py_DECREF(octets);
        return result;
    }
    Py_ssize_t size;
    const char *content = PyUnicode_AsUTF8AndSize(value, &size);
    if (content == NULL) {
        return leave_or_raise();
    }
    return put_content(out, value, content, size);
}

static int put_any(Output *out, PyObject *value, int depth);

/* The items of a list, a tuple or a dict as they were when writing them began: codecs in Python may be called
 * meanwhile, and who knows what they let happen. */
typedef struct {
    PyObject **items; /* of a dict key, value, key, value ... */
    Py_ssize_t count;
    PyObject *space[32];
} Items;

static int
take_items(Items *taken, PyObject *container)
{
    int is_dict = PyDict_CheckExact(container);
    taken->count = is_dict ? 2 * PyDict_GET_SIZE(container) : PySequence_Fast_GET_SIZE(container);
    taken->items = taken->space;
    if (taken->count > (Py_ssize_t)(sizeof(taken->space) / sizeof(*taken->space))) {
        taken->items = PyMem_Malloc(taken->count * sizeof(PyObject *));
        if (taken->items == NULL) {
            PyErr_NoMemory();
            return RAISED;
        }
    }
    if (is_dict) {
        Py_ssize_t position = 0, index = 0;
        PyObject *key, *item;
        while (PyDict_Next(container, &position, &key, &item)) {
            taken->items[index++] = Py_NewRef(key);
            taken->items[index++] = Py_NewRef(item);
        }
    }
    else {
        for (Py_ssize_t index = 0; index < taken->count; index++) {
            taken->items[index] = Py_NewRef(PySequence_Fast_GET_ITEM(container, index));
        }
    }
    return OK;
}

static void
drop_items(Items *taken)
{
    for (Py_ssize_t index = 0; index < taken->count; index++) {
        Py_DECREF(taken->items[index]);
    }
    if (taken->items != taken->space) {
        PyMem_Free(taken->items);
    }
}

/* The key of an entry whose value is written; before is what was written before the entry. */
static int
close_entry(Output *out, PyObject *key, Py_ssize_t before, uint32_t number)
{
    Py_ssize_t inner = written(out);
    int result = is_text(key) ? put_text(out, key) : LEAVE;
    if (result == OK && (result = close_chunk(out, inner, 1)) == OK) {
        result = close_chunk(out, before, number);
    }
    return result;
}

/* Whether it is of a class that nothing in Go's any stands for but a plain value. */
static inline int
is_plain(PyObject *value)
{
    return value == Py_None || PyBool_Check(value) || PyUnicode_CheckExact(value) || PyLong_CheckExact(value) ||
           PyFloat_CheckExact(value) || PyList_CheckExact(value) || PyTuple_CheckExact(value) ||
           PyDict_CheckExact(value);
}

/* A ValueList. */
static int
put_any_list(Output *out, PyObject *value, int depth)
{
    Items taken;
    Py_ssize_t outer = written(out);
    if (take_items(&taken, value) < 0) {
        return RAISED;
    }
    int result = OK;
    for (Py_ssize_t index = taken.count - 1; index >= 0 && result == OK; index--) {
        Py_ssize_t before = written(out);
        result = put_any(out, taken.items[index], depth);
        if (result == OK) {
            result = close_chunk(out, before, 1);
        }
    }
    drop_items(&taken);
    return result != OK ? result : close_chunk(out, outer, list_case);
}

/* A ValueMap. */
static int
put_any_map(Output *out, PyObject *value, int depth)
{
    Items taken;
    Py_ssize_t outer = written(out);
    if (take_items(&taken, value) < 0) {
        return RAISED;
    }
    int result = OK;
    for (Py_ssize_t index = taken.count - 2; index >= 0 && result == OK; index -= 2) {
        Py_ssize_t before = written(out);
        result = put_any(out, taken.items[index + 1], depth);
        if (result == OK && (result = close_chunk(out, before, 2)) == OK) {
            result = close_entry(out, taken.items[index], before, 1);
        }
    }
    drop_items(&taken);
    return result != OK ? result : close_chunk(out, outer, map_case);
}

/* What Go's any holds. */
static int
put_any(Output *out, PyObject *value, int depth)
{
    if (value == Py_None) {
        return OK;
    }
    if (PyBool_Check(value)) {
        return put_varint(out, value == Py_True) < 0 ? RAISED : put_tag(out, bool_case, VARINT);
    }
    if (PyUnicode_CheckExact(value)) {
        Py_ssize_t before = written(out);
        int result = put_text(out, value);
        return result != OK ? result : close_chunk(out, before, string_case);
    }
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (!overflow) {
            return put_varint(out, (uint64_t)number) < 0 ? RAISED : put_tag(out, int64_case, VARINT);
        }
    }
    if (PyFloat_CheckExact(value)) {
        uint64_t bits;
        double number = PyFloat_AS_DOUBLE(value);
        memcpy(&bits, &number, sizeof bits);
        if (room(out, 8) < 0) {
            return RAISED;
        }
        out->at -= 8;
        for (int index = 0; index < 8; index++) {
            out->at[index] = (uint8_t)(bits >> 8 * index);
        }
        return put_tag(out, double_case, FIXED64);
    }
    if (depth < MAX_DEPTH) {
        /* What the first item is says that it is no list of a type that Mattermost has registered. */
        if ((PyList_CheckExact(value) || PyTuple_CheckExact(value)) &&
            (PySequence_Fast_GET_SIZE(value) == 0 || is_plain(PySequence_Fast_GET_ITEM(value, 0)))) {
            return put_any_list(out, value, depth + 1);
        }
        if (PyDict_CheckExact(value)) {
            return put_any_map(out, value, depth + 1);
        }
    }
    PyObject *raw = PyObject_CallOneArg(encode_value, value);
    if (raw == NULL) {
        return leave_or_raise();
    }
    int result = PyBytes_CheckExact(raw) ? put_octets(out, raw) : LEAVE;
    Py_DECREF(raw);
    return result;
}

static int put_fields(Output *out, Layout *layout, PyObject *holder, int depth);

/* Writes the content and the tag of one value. Where optional is false, a default writes nothing. */
static int
put_value(Output *out, Field *field, uint32_t number, PyObject *value, int optional, int depth)
{
    Py_ssize_t before = written(out);
    int result = OK;
    switch (field->kind) {
    case 's':
    case 'e':
        if (!is_text(value)) {
            return LEAVE;
        }
        if (!optional && PyUnicode_GET_LENGTH(value) == 0) {
            return OK;
        }
        result = put_text(out, value);
        return result != OK ? result : close_chunk(out, before, number);
    case 'b':
        if (!PyBool_Check(value)) {
            return LEAVE;
        }
        if (!optional && value == Py_False) {
            return OK;
        }
        return put_varint(out, value == Py_True) < 0 ? RAISED : put_tag(out, number, VARINT);
    case 'i':
    case 'u':
    case 'U': {
        if (!PyLong_CheckExact(value)) {
            return LEAVE;
        }
        int overflow;
        long long signed_number = PyLong_AsLongLongAndOverflow(value, &overflow);
        uint64_t bits = (uint64_t)signed_number;
        if (overflow > 0 && field->kind == 'U') {
            bits = PyLong_AsUnsignedLongLong(value);
            if (PyErr_Occurred()) {
                return leave_or_raise();
            }
        }
        else if (overflow || (field->kind != 'i' && signed_number < 0) || (field->kind == 'u' && bits > UINT32_MAX)) {
            return LEAVE;
        }
        if (!optional && bits == 0) {
            return OK;
        }
        return put_varint(out, bits) < 0 ? RAISED : put_tag(out, number, VARINT);
    }
    case 'y':
        if (!PyBytes_CheckExact(value)) {
            return LEAVE;
        }
        if (!optional && PyBytes_GET_SIZE(value) == 0) {
            return OK;
        }
        return put_octets(out, value) < 0 ? RAISED : close_chunk(out, before, number);
    case 'v':
        if (!optional && value == Py_None) {
            return OK;
        }
        result = put_any(out, value, 0);
        return result != OK ? result : close_chunk(out, before, number);
    case 'm': {
        Layout *target = (Layout *)target_of(field);
        if (target == NULL) {
            return RAISED;
        }
        if (!Py_IS_TYPE(value, target->model) || depth >= MAX_DEPTH) {
            return LEAVE;
        }
        result = put_fields(out, target, value, depth + 1);
        return result != OK ? result : close_chunk(out, before, number);
    }
    default:
        return LEAVE;
    }
}

static int
put_list(Output *out, Field *field, PyObject *value, int depth)
{
    if (!PyList_CheckExact(value) && !PyTuple_CheckExact(value)) {
        return LEAVE;
    }
    Items taken;
    if (take_items(&taken, value) < 0) {
        return RAISED;
    }
    int result = OK;
    for (Py_ssize_t index = taken.count - 1; index >= 0 && result == OK; index--) {
        result = put_value(out, field, field->number, taken.items[index], 1, depth);
    }
    drop_items(&taken);
    return result;
}

static int
put_dict(Output *out, Field *field, PyObject *value, int depth)
{
    if (!PyDict_CheckExact(value)) {
        return LEAVE;
    }
    Items taken;
    if (take_items(&taken, value) < 0) {
        return RAISED;
    }
    int result = OK;
    for (Py_ssize_t index = taken.count - 2; index >= 0 && result == OK; index -= 2) {
        Py_ssize_t before = written(out);
        result = put_value(out, field, 2, taken.items[index + 1], 1, depth);
        if (result == OK) {
            result = close_entry(out, taken.items[index], before, field->number);
        }
    }
    drop_items(&taken);
    return result;
}

static int
put_field(Output *out, Field *field, PyObject *value, int depth)
{
    if (value == Py_None && (field->many == '?' || field->many == '[' || field->many == '{')) {
        return OK;
    }
    if (field->many == '[' || field->many == '{') {
        if (field->kind == 'o') {
            int empty = (PyList_CheckExact(value) && PyList_GET_SIZE(value) == 0) ||
                        (PyDict_CheckExact(value) && PyDict_GET_SIZE(value) == 0);
            return empty ? OK : LEAVE;
        }
        return field->many == '[' ? put_list(out, field, value, depth) : put_dict(out, field, value, depth);
    }
    return put_value(out, field, field->number, value, field->many == '?', depth);
}

static int
put_fields(Output *out, Layout *layout, PyObject *holder, int depth)
{
    for (Field *field = layout->fields + layout->values - 1; field >= layout->fields; field--) {
        PyObject *value = *place_of(holder, field);
        if (value == NULL) {
            return LEAVE; /* deleted */
        }
        Py_INCREF(value);
        int result = put_field(out, field, value, depth);
        Py_DECREF(value);
        if (result != OK) {
            return result;
        }
    }
    return OK;
}

/* ---- Layout ---- */

static Py_ssize_t
slot_of(PyTypeObject *model, PyObject *name)
{
    PyObject *found = PyObject_GetAttr((PyObject *)model, name);
    if (found == NULL) {
        return -1;
    }
    Py_ssize_t offset = -1;
    if (Py_IS_TYPE(found, &PyMemberDescr_Type)) {
        PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
        if (member->type == T_OBJECT_EX) {
            offset = member->offset;
        }
    }
    Py_DECREF(found);
    if (offset < 0) {
        PyErr_Format(PyExc_TypeError, "%s.%U is no slot", model->tp_name, name);
    }
    return offset;
}

static int
set_field(Layout *layout, Py_ssize_t index, PyObject *entry)
{
    Field *field = &layout->fields[index];
    PyObject *name;
    const char *form;
    if (!PyArg_ParseTuple(entry, "IUs|U", &field->number, &name, &form, &field->reference)) {
        return -1;
    }
    Py_XINCREF(field->reference);
    if (*form != '\0' && strchr("?*[{", *form) != NULL) {
        field->many = *form++;
    }
    field->kind = *form;
    if (*form == '\0' || form[1] != '\0' || strchr("sbiuUyemvo!", *form) == NULL ||
        (strchr("em", *form) != NULL) != (field->reference != NULL) ||
        (field->many == '[' && strchr("biuU", *form) != NULL)) { /* numbers in lists are packed: not done here */
        PyErr_Format(PyExc_ValueError, "%R: not a field's form", entry);
        return -1;
    }
    if (field->kind == '!') {
        return 0;
    }
    if (layout->values != index) {
        PyErr_SetString(PyExc_ValueError, "what is no value comes last");
        return -1;
    }
    layout->values++;
    if (layout->model == NULL) {
        field->offset = offsetof(PyTupleObject, ob_item) + index * (Py_ssize_t)sizeof(PyObject *);
        return 0;
    }
    field->offset = slot_of(layout->model, name);
    return field->offset < 0 ? -1 : 0;
}

static PyObject *
layout_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *model, *fields;
    static char *names[] = {"model", "fields", NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO!", names, &model, &PyTuple_Type, &fields)) {
        return NULL;
    }
    if (model != Py_None && !PyType_Check(model)) {
        PyErr_SetString(PyExc_TypeError, "model: expected a class or None");
        return NULL;
    }
    Layout *layout = (Layout *)type->tp_alloc(type, 0);
    if (layout == NULL) {
        return NULL;
    }
    layout->model = model == Py_None ? NULL : (PyTypeObject *)Py_NewRef(model);
    layout->fields = PyMem_Calloc(PyTuple_GET_SIZE(fields) + 1, sizeof(Field));
    if (layout->fields == NULL) {
        Py_DECREF(layout);
        return PyErr_NoMemory();
    }
    layout->count = PyTuple_GET_SIZE(fields);
    for (Py_ssize_t index = 0; index < layout->count; index++) {
        if (set_field(layout, index, PyTuple_GET_ITEM(fields, index)) < 0) {
            Py_DECREF(layout);
            return NULL;
        }
    }
    return (PyObject *)layout;
}

static void
layout_dealloc(PyObject *self)
{
    Layout *layout = (Layout *)self;
    PyTypeObject *type = Py_TYPE(self);
    for (Py_ssize_t index = 0; index < layout->count; index++) {
        Py_XDECREF(layout->fields[index].reference);
        Py_XDECREF(layout->fields[index].target);
    }
    PyMem_Free(layout->fields);
    Py_XDECREF(layout->model);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot layout_slots[] = {
    {Py_tp_doc, "The fields of a model, or of a tuple: Layout(model | None, fields)."},
    {Py_tp_new, layout_new},
    {Py_tp_dealloc, layout_dealloc},
    {0, NULL},
};

static PyType_Spec layout_spec = {
    .name = "mattermost_plugin_speed._layouts.Layout",
    .basicsize = sizeof(Layout),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = layout_slots,
};

/* ---- Decoder and Encoder: functions over a layout of a tuple ---- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    Layout *layout;
    PyObject *reference; /* the codec in Python, asked where this one leaves it */
    int results;  /* one value or a tuple of them, not arguments */
    int complete; /* no list or dict may be None */
} Codec;

static PyObject *
decode(PyObject *self, PyObject *const *arguments, size_t counted, PyObject *keywords)
{
    Codec *codec = (Codec *)self;
    if (keywords == NULL && PyVectorcall_NARGS(counted) == 1 && PyBytes_CheckExact(arguments[0]) &&
        PyBytes_GET_SIZE(arguments[0]) <= MAX_SIZE) {
        const uint8_t *start = (const uint8_t *)PyBytes_AS_STRING(arguments[0]);
        Input in = {start, start + PyBytes_GET_SIZE(arguments[0])};
        PyObject *values;
        int result = read_message(codec->layout, in, &values, 0);
        if (result == OK) {
            if (!codec->results || codec->layout->values > 1) {
                return values;
            }
            PyObject *only = Py_NewRef(codec->layout->values == 1 ? PyTuple_GET_ITEM(values, 0) : Py_None);
            Py_DECREF(values);
            return only;
        }
        if (result == RAISED) {
            return NULL;
        }
    }
    return PyObject_Vectorcall(codec->reference, arguments, counted, keywords);
}

/* Sets the values to be written (borrowed), or leaves it to Python. */
static int
values_of(Codec *codec, PyObject *const *arguments, Py_ssize_t count, PyObject *const **values)
{
    Py_ssize_t wanted = codec->layout->values;
    *values = arguments;
    if (!codec->results) {
        return count == wanted ? OK : LEAVE;
    }
    if (count != 1) {
        return LEAVE;
    }
    if (wanted == 0) {
        return arguments[0] == Py_None ? OK : LEAVE;
    }
    if (wanted > 1) {
        if (!PyTuple_CheckExact(arguments[0]) || PyTuple_GET_SIZE(arguments[0]) != wanted) {
            return LEAVE;
        }
        *values = &PyTuple_GET_ITEM(arguments[0], 0);
    }
    return OK;
}

static PyObject *
encode(PyObject *self, PyObject *const *arguments, size_t counted, PyObject *keywords)
{
    Codec *codec = (Codec *)self;
    Layout *layout = codec->layout;
    PyObject *const *values;
    if (keywords == NULL && values_of(codec, arguments, PyVectorcall_NARGS(counted), &values) == OK) {
        Output out;
        open_output(&out);
        int result = OK;
        for (Py_ssize_t index = layout->values - 1; index >= 0 && result == OK; index--) {
            Field *field = &layout->fields[index];
            int container = field->many == '[' || field->many == '{';
            if (codec->complete && container && values[index] == Py_None) {
                result = LEAVE;
            }
            else {
                result = put_field(&out, field, values[index], 0);
            }
        }
        if (result == OK && written(&out) > MAX_SIZE) {
            result = LEAVE;
        }
        PyObject *raw = result == OK ? joined(&out) : NULL;
        close_output(&out);
        if (result != LEAVE) {
            return raw;
        }
    }
    return PyObject_Vectorcall(codec->reference, arguments, counted, keywords);
}

static PyObject *
codec_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords, vectorcallfunc call)
{
    Layout *layout;
    PyObject *reference;
    int results = 0, complete = 0;
    static char *names[] = {"layout", "reference", "results", "complete", NULL};
    if (!PyArg_ParseTupleAndKeywords(
            arguments, keywords, "O!O|$pp", names, layout_type, &layout, &reference, &results, &complete)) {
        return NULL;
    }
    if (layout->model != NULL) {
        PyErr_SetString(PyExc_ValueError, "layout: expected one of a tuple");
        return NULL;
    }
    if (layout_of == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "call start() first");
        return NULL;
    }
    Codec *codec = (Codec *)type->tp_alloc(type, 0);
    if (codec != NULL) {
        codec->call = call;
        codec->layout = (Layout *)Py_NewRef(layout);
        codec->reference = Py_NewRef(reference);
        codec->results = results;
        codec->complete = complete;
    }
    return (PyObject *)codec;
}

static PyObject *
decoder_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    return codec_new(type, arguments, keywords, decode);
}

static PyObject *
encoder_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    return codec_new(type, arguments, keywords, encode);
}

static void
codec_dealloc(PyObject *self)
{
    Codec *codec = (Codec *)self;
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(codec->layout);
    Py_XDECREF(codec->reference);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef codec_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Codec, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot decoder_slots[] = {
    {Py_tp_doc, "Bytes to a tuple of arguments, or to results: Decoder(layout, reference, *, results=False)."},
    {Py_tp_new, decoder_new},
    {Py_tp_dealloc, codec_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, codec_members},
    {0, NULL},
};

static PyType_Slot encoder_slots[] = {
    {Py_tp_doc, "Arguments, or results, to bytes: Encoder(layout, reference, *, results=False, complete=False)."},
    {Py_tp_new, encoder_new},
    {Py_tp_dealloc, codec_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, codec_members},
    {0, NULL},
};

static PyType_Spec decoder_spec = {
    .name = "mattermost_plugin_speed._layouts.Decoder",
    .basicsize = sizeof(Codec),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = decoder_slots,
};

static PyType_Spec encoder_spec = {
    .name = "mattermost_plugin_speed._layouts.Encoder",
    .basicsize = sizeof(Codec),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = encoder_slots,
};

/* ---- module ---- */

static PyObject *
start(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *layouts, *decoding, *encoding;
    if (!PyArg_ParseTuple(arguments, "OOOIIIIII", &layouts, &decoding, &encoding, &bool_case, &int64_case,
                          &double_case, &string_case, &list_case, &map_case)) {
        return NULL;
    }
    Py_XSETREF(layout_of, Py_NewRef(layouts));
    Py_XSETREF(decode_value, Py_NewRef(decoding));
    Py_XSETREF(encode_value, Py_NewRef(encoding));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"start", start, METH_VARARGS,
     "Take what layouts refer to, the codec of what Go's any holds, and the numbers of its cases."},
    {NULL, NULL, 0, NULL},
};

static int
add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **kept)
{
    PyObject *made = PyType_FromSpec(spec);
    if (made == NULL) {
        return -1;
    }
    int result = PyModule_AddType(module, (PyTypeObject *)made);
    if (result == 0 && kept != NULL) {
        *kept = (PyTypeObject *)made;
        return 0;
    }
    Py_DECREF(made);
    return result;
}

static int
execute(PyObject *module)
{
#ifdef Py_GIL_DISABLED
    PyErr_SetString(PyExc_ImportError, "this module relies on the interpreter's lock");
    return -1;
#endif
    if (layout_type != NULL || PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "this module can be loaded once, by the main interpreter");
        return -1;
    }
    no_text = PyUnicode_New(0, 0);
    no_bytes = PyBytes_FromStringAndSize(NULL, 0);
    zero = PyLong_FromLong(0);
    if (no_text == NULL || no_bytes == NULL || zero == NULL || add_type(module, &decoder_spec, NULL) < 0 ||
        add_type(module, &encoder_spec, NULL) < 0) {
        return -1;
    }
    return add_type(module, &layout_spec, &layout_type);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, execute},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED}, /* so that refusing to be loaded does not change what others run with */
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_layouts",
    .m_doc = "Protobuf messages to models and back, by tables.",
    .m_size = 0,
    .m_methods = functions,
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__layouts(void)
{
    return PyModuleDef_Init(&definition);
}
