"""The data plane's two loops over arrays, written so that numba compiles them; `compiled` is the only caller.

The same rules as `data_plane`, line by line, with linked lists in the place of ordered dicts. Numba is an extra:
importing this module loads it, and the first call compiles for some seconds, once for each installation.
"""

import numpy as np

try:
    from numba import njit
except ImportError:  # the same loops, as Python: for tests where numba is not installed

    def njit(**_options):
        return lambda function: function


NEVER = 2**62
NOTHING = -1
# Places in the array of counts.
PLACE, N_FREE, N_ENTERED, N_HEAP, N_ENDED, SLACK, N_OVER = range(7)


@njit(cache=True)
def append(instance, load, heads, tails, after, before):
    before[instance] = tails[load]
    after[instance] = NOTHING
    if tails[load] == NOTHING:
        heads[load] = instance
    else:
        after[tails[load]] = instance
    tails[load] = instance


@njit(cache=True)
def unlink(instance, load, heads, tails, after, before):
    if before[instance] == NOTHING:
        heads[load] = after[instance]
    else:
        after[before[instance]] = after[instance]
    if after[instance] == NOTHING:
        tails[load] = before[instance]
    else:
        before[after[instance]] = before[instance]


@njit(cache=True)
def _up(place, end, order, request, instance, heap):
    while place > 0:
        parent = (place - 1) >> 1
        if heap[parent, 0] < end or (heap[parent, 0] == end and heap[parent, 1] < order):
            break
        heap[place] = heap[parent]
        place = parent
    heap[place, 0], heap[place, 1], heap[place, 2], heap[place, 3] = end, order, request, instance


@njit(cache=True)
def _down(end, order, request, instance, heap, n_heap):
    place = 0
    while True:
        child = 2 * place + 1
        if child >= n_heap:
            break
        other = child + 1
        if other < n_heap and (
            heap[other, 0] < heap[child, 0] or (heap[other, 0] == heap[child, 0] and heap[other, 1] < heap[child, 1])
        ):
            child = other
        if heap[child, 0] > end or (heap[child, 0] == end and heap[child, 1] > order):
            break
        heap[place] = heap[child]
        place = child
    heap[place, 0], heap[place, 1], heap[place, 2], heap[place, 3] = end, order, request, instance


@njit(cache=True)
def _take(loads, heads, tails, after, before, full):
    load = 0
    while heads[load] == NOTHING:
        load += 1
    instance = heads[load]
    unlink(instance, load, heads, tails, after, before)
    loads[instance] = load + 1
    if load + 1 < full:
        append(instance, load + 1, heads, tails, after, before)
    return instance


@njit(cache=True)
def work(
    until, order, arrivals_until, recv, work_s, duration, ttl, timeout_s, is_uniform,
    start, done, where, slowness, serves, loads, heads, tails, after, before, heap, counts, ends,
):  # fmt: skip
    """Ends and starts in order of time; `counts` has how many ended and how long before `until` in all."""
    n, full = len(recv), len(heads)
    place, n_free, entered, n_heap = counts[PLACE], counts[N_FREE], counts[N_ENTERED], counts[N_HEAP]
    n_ended = slack = n_over = 0
    while True:
        arrival = recv[place] if place < n else NEVER
        is_end = n_heap > 0 and (n_free == 0 or heap[0, 0] <= arrival)
        if is_end:
            now = heap[0, 0]
            if now > until or (now == until and heap[0, 1] >= order):
                break
            instance = heap[0, 3]
            if n_ended < len(ends):
                ends[n_ended] = now
            n_ended += 1
            slack += until - now
            request = NOTHING
            while n_free == 0 and serves[instance] and request == NOTHING and place < n and recv[place] < now:
                expires = recv[place] + ttl
                if now < expires:
                    request = place
                else:
                    done[place] = expires
                    n_ended += 1
                    n_over += 1
                    slack += until - expires
                place += 1
            if request == NOTHING:
                n_heap -= 1
                if n_heap > 0:
                    _down(heap[n_heap, 0], heap[n_heap, 1], heap[n_heap, 2], heap[n_heap, 3], heap, n_heap)
                load = loads[instance]
                loads[instance] = load - 1
                if serves[instance]:
                    n_free += 1
                    if load < full:
                        unlink(instance, load, heads, tails, after, before)
                    append(instance, load - 1, heads, tails, after, before)
                continue
        elif n_free > 0 and arrival < arrivals_until:
            now, request = arrival, place
            place += 1
            n_free -= 1
            instance = _take(loads, heads, tails, after, before, full)
        else:
            break
        if is_uniform:
            end = now + duration[request]
        else:
            end = now + np.int64(np.rint(min(work_s[request] * slowness[instance], timeout_s) * 1e9))
        start[request], done[request], where[request] = now, end, instance
        entered += 1
        if is_end:
            _down(end, entered, request, instance, heap, n_heap)
        else:
            _up(n_heap, end, entered, request, instance, heap)
            n_heap += 1
    counts[PLACE], counts[N_FREE], counts[N_ENTERED], counts[N_HEAP] = place, n_free, entered, n_heap
    counts[N_ENDED], counts[SLACK], counts[N_OVER] = n_ended, slack, n_over


@njit(cache=True)
def dispatch(
    now, arrived, recv, work_s, duration, ttl, timeout_s, is_uniform,
    start, done, where, slowness, loads, heads, tails, after, before, heap, counts,
):  # fmt: skip
    """Start what waits now; `counts` has how many had expired at this instant."""
    full = len(heads)
    n_over = 0
    while counts[N_FREE] > 0 and counts[PLACE] < arrived:
        request = counts[PLACE]
        counts[PLACE] += 1
        if now >= recv[request] + ttl:
            done[request] = recv[request] + ttl
            n_over += 1
            continue
        instance = _take(loads, heads, tails, after, before, full)
        counts[N_FREE] -= 1
        if is_uniform:
            end = now + duration[request]
        else:
            end = now + np.int64(np.rint(min(work_s[request] * slowness[instance], timeout_s) * 1e9))
        start[request], done[request], where[request] = now, end, instance
        counts[N_ENTERED] += 1
        _up(counts[N_HEAP], end, counts[N_ENTERED], request, instance, heap)
        counts[N_HEAP] += 1
    counts[N_OVER] = n_over
