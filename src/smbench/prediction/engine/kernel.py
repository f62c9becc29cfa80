"""The data plane's two loops over arrays: written so that numba compiles them; `compiled` is the only caller.

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
def _up(place, end, order, request, ends, orders, requests):
    while place > 0:
        parent = (place - 1) >> 1
        if ends[parent] < end or (ends[parent] == end and orders[parent] < order):
            break
        ends[place], orders[place], requests[place] = ends[parent], orders[parent], requests[parent]
        place = parent
    ends[place], orders[place], requests[place] = end, order, request


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
    start, done, where, slowness, serves, loads, heads, tails, after, before, ends, orders, requests, counts, listed,
):  # fmt: skip
    """Ends and starts in order of time; `counts` has how many ended and how long before `until` in all.

    `ends`, `orders` and `requests` are the heap of slots at work. Heap and lists are written out, not called: numba
    counts references to every array that it passes, for each request, and took three times as long.
    """
    n, full, n_listed = len(recv), len(heads), len(listed)
    place, n_free, entered, n_heap = counts[PLACE], counts[N_FREE], counts[N_ENTERED], counts[N_HEAP]
    n_ended = slack = n_over = 0
    arrival = recv[place] if place < n else NEVER
    while True:
        is_end = n_heap > 0 and (n_free == 0 or ends[0] <= arrival)
        if is_end:
            now = ends[0]
            if now > until or (now == until and orders[0] >= order):
                break
            instance = where[requests[0]]
            if n_ended < n_listed:
                listed[n_ended] = now
            n_ended += 1
            slack += until - now
            request = NOTHING
            if n_free == 0 and serves[instance]:
                while arrival < now and request == NOTHING:  # the slot's next is the first that waits
                    expires = arrival + ttl
                    if now < expires:
                        request = place
                    else:
                        done[place] = expires
                        n_ended += 1
                        n_over += 1
                        slack += until - expires
                    place += 1
                    arrival = recv[place] if place < n else NEVER
            if request == NOTHING:
                load = loads[instance]
                loads[instance] = load - 1
                if serves[instance]:
                    n_free += 1
                    if load < full:  # out of the list of its load
                        one, other = before[instance], after[instance]
                        if one == NOTHING:
                            heads[load] = other
                        else:
                            after[one] = other
                        if other == NOTHING:
                            tails[load] = one
                        else:
                            before[other] = one
                    last = tails[load - 1]  # and to the end of that below
                    before[instance], after[instance] = last, NOTHING
                    if last == NOTHING:
                        heads[load - 1] = instance
                    else:
                        after[last] = instance
                    tails[load - 1] = instance
                n_heap -= 1
                # The hole at the top goes down along the earlier children; the last of the heap rises from there.
                end, entry, moved = ends[n_heap], orders[n_heap], requests[n_heap]
                hole, child = 0, 1
                while child < n_heap:
                    low = ends[child]
                    if child + 1 < n_heap:
                        other = ends[child + 1]
                        if other < low or (other == low and orders[child + 1] < orders[child]):
                            child, low = child + 1, other
                    ends[hole], orders[hole], requests[hole] = low, orders[child], requests[child]
                    hole, child = child, 2 * child + 1
                while hole > 0:
                    parent = (hole - 1) >> 1
                    if ends[parent] < end or (ends[parent] == end and orders[parent] < entry):
                        break
                    ends[hole], orders[hole], requests[hole] = ends[parent], orders[parent], requests[parent]
                    hole = parent
                ends[hole], orders[hole], requests[hole] = end, entry, moved
                continue
        elif n_free > 0 and arrival < arrivals_until:
            now, request = arrival, place
            place += 1
            arrival = recv[place] if place < n else NEVER
            n_free -= 1
            load = 0
            while heads[load] == NOTHING:
                load += 1
            instance = heads[load]
            other = after[instance]
            heads[load] = other
            if other == NOTHING:
                tails[load] = NOTHING
            else:
                before[other] = NOTHING
            load += 1
            loads[instance] = load
            if load < full:
                last = tails[load]
                before[instance], after[instance] = last, NOTHING
                if last == NOTHING:
                    heads[load] = instance
                else:
                    after[last] = instance
                tails[load] = instance
        else:
            break
        if is_uniform:
            end = now + duration[request]
        else:
            end = now + np.int64(np.rint(min(work_s[request] * slowness[instance], timeout_s) * 1e9))
        start[request], done[request], where[request] = now, end, instance
        entered += 1
        # Of all that end at one instant the newest comes last: only later ends pass it.
        if is_end:
            hole, child = 0, 1
            while child < n_heap:
                low = ends[child]
                if child + 1 < n_heap:
                    other = ends[child + 1]
                    if other < low or (other == low and orders[child + 1] < orders[child]):
                        child, low = child + 1, other
                if low > end:
                    break
                ends[hole], orders[hole], requests[hole] = low, orders[child], requests[child]
                hole, child = child, 2 * child + 1
        else:
            hole = n_heap
            n_heap += 1
            while hole > 0:
                parent = (hole - 1) >> 1
                if ends[parent] <= end:
                    break
                ends[hole], orders[hole], requests[hole] = ends[parent], orders[parent], requests[parent]
                hole = parent
        ends[hole], orders[hole], requests[hole] = end, entered, request
    counts[PLACE], counts[N_FREE], counts[N_ENTERED], counts[N_HEAP] = place, n_free, entered, n_heap
    counts[N_ENDED], counts[SLACK], counts[N_OVER] = n_ended, slack, n_over


@njit(cache=True)
def dispatch(
    now, arrived, recv, work_s, duration, ttl, timeout_s, is_uniform,
    start, done, where, slowness, loads, heads, tails, after, before, ends, orders, requests, counts,
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
        _up(counts[N_HEAP], end, counts[N_ENTERED], request, ends, orders, requests)
        counts[N_HEAP] += 1
    counts[N_OVER] = n_over
