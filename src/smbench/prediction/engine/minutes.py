"""The world between two events that matter, over arrays: minutes closed, alarms looked at, requests served.

Written so that numba compiles it; `quiet` is the only caller. The rules are those of `model.monitoring` line by line.
It stops where an alarm changes its state or sets off what may change something, and leaves that to the model.
"""

import numpy as np

from smbench.prediction.engine.kernel import N_ENDED, N_ENTERED, N_HEAP, N_OVER, PLACE, SLACK, njit, work

MINUTE_NS = 60_000_000_000
EXTRA_POINTS = 2  # as `model.monitoring.alarms`
OK, ALARM, INSUFFICIENT_DATA, KEEP = range(4)
MISSING, BREACHING, NOT_BREACHING, IGNORE = range(4)
TRACKING_HIGH, TRACKING_LOW, STEP, NO_ACTION = range(4)
BACKLOG, PER_INSTANCE, WITHOUT_CAPACITY = range(3)
# Places in the clock.
NOW, MINUTE_START, MINUTE_END, MINUTE, ARRIVED, BACKLOG_NOW, OVER = range(7)
# Why it stopped.
AT_THE_LIMIT, AT_AN_ALARM, UNKNOWN_TO_IT = -1, 0, -2


@njit(cache=True)
def close_minute(clock, omits_zeros, area, defined, delays, n_published, is_there, averages, sums, counts, visible):
    """The minute's datapoint of each gauge, and begin the next."""
    minute, start = clock[MINUTE], clock[MINUTE_START]
    for series in range(len(area)):
        if defined[series] and not (omits_zeros and area[series] == 0.0):
            total, n = area[series] / 1e9, defined[series] / 1e9
            averages[series, minute], sums[series, minute], counts[series, minute] = total / n, total, n
            delay = np.int64(np.rint(delays[series, n_published[series]] * 1e9))
            visible[series, minute] = start + MINUTE_NS + delay
            is_there[series, minute] = True
            n_published[series] += 1
        area[series], defined[series] = 0.0, 0
    clock[MINUTE] = minute + 1
    clock[MINUTE_START] = clock[MINUTE_END]
    clock[MINUTE_END] += MINUTE_NS


@njit(cache=True)
def newest_known(series, minute, now, is_there, visible):
    """The first minute after the newest about which all is known at an instant; `minute` is the one that runs."""
    end = minute
    place = minute - 1
    while place >= 0:
        if is_there[series, place]:
            if visible[series, place] <= now:
                break
            end = place
        place -= 1
    return end


@njit(cache=True)
def _breaches(value, comparison, threshold):
    if comparison == 0:
        return value >= threshold
    if comparison == 1:
        return value > threshold
    if comparison == 2:
        return value < threshold
    return value <= threshold


@njit(cache=True)
def _judged(alarm, clock, watched, thresholds, values, is_there, averages, sums, visible):
    """The state that what is visible means, KEEP for the present one; the alarm's value is brought up to date."""
    series, statistic, comparison, n, m, treatment = watched[alarm]
    now = clock[NOW]
    end = newest_known(series, clock[MINUTE], now, is_there, visible)
    first = end - n - EXTRA_POINTS
    n_real = n_breaching = n_recent_breaching = 0
    oldest = -1
    values[alarm] = np.nan
    for back in range(n + EXTRA_POINTS):  # the newest first
        place = end - 1 - back
        if place < 0 or not is_there[series, place] or visible[series, place] > now:
            continue
        value = averages[series, place] if statistic == 0 else sums[series, place]
        if n_real == 0:
            values[alarm] = value
        is_breaching = _breaches(value, comparison, thresholds[alarm])
        n_breaching += is_breaching
        if n_real < n:
            n_recent_breaching += is_breaching
        n_real += 1
        oldest = place
    if n_real >= n:
        return ALARM if n_recent_breaching >= m else OK
    if n_real == 0:
        if treatment == BREACHING:
            return ALARM
        if treatment == NOT_BREACHING:
            return OK
        return KEEP if treatment == IGNORE else INSUFFICIENT_DATA
    breaching = n_breaching
    if treatment == BREACHING:
        breaching += n - n_real
    elif treatment != NOT_BREACHING and breaching < m and n_breaching == n_real:
        if treatment == IGNORE:
            return KEEP
        return ALARM if n + EXTRA_POINTS - (oldest - first) >= m else OK
    return ALARM if breaching >= m else OK


@njit(cache=True)
def quiet(
    until, limit, limit_order, clock, capacity, at_zero_as_one, action_delay, in_cooldown_until, skips_low, skips_high,
    skips_all, roll_due, roll_order, turn_due, turn_order, states, acts, watched, thresholds, values, omits_zeros,
    area, defined, delays, n_published, is_there, averages, sums, point_counts, visible, none,
    recv, work_s, duration, ttl, timeout_s, is_uniform, start, done, where, slowness, serves, loads, heads, tails,
    after, before, ends, orders, requests, counts,
):  # fmt: skip
    """Minutes and alarms in order of time, and the requests between them, as long as nothing else would happen.

    Args:
        until: The last instant to do anything of.
        limit, limit_order: When the next entry is due that is neither a minute's end nor an alarm's turn.
        none: An empty array of integers.

    Returns:
        The alarm at whose turn the model must go on, its state as it is now and the next turn entered; AT_THE_LIMIT; or
        UNKNOWN_TO_IT, before the earliest of minutes and turns.
    """
    n = len(recv)
    while True:
        due, order, kind = roll_due[0], roll_order[0], -1
        if roll_due[1] < due or (roll_due[1] == due and roll_order[1] < order):
            due, order, kind = roll_due[1], roll_order[1], -2
        for alarm in range(len(turn_due)):
            if turn_due[alarm] < due or (turn_due[alarm] == due and turn_order[alarm] < order):
                due, order, kind = turn_due[alarm], turn_order[alarm], alarm
        if due > until or due > limit or (due == limit and order > limit_order):
            return AT_THE_LIMIT
        # Requests up to this instant.
        now, level = clock[NOW], clock[BACKLOG_NOW]
        arrived, some = clock[ARRIVED], 0
        first = arrived
        sum_arrived = 0
        while arrived < n and recv[arrived] < due:
            sum_arrived += due - recv[arrived]
            arrived += 1
        if capacity == 0:
            if counts[N_HEAP] > 0 or (counts[PLACE] < arrived and recv[counts[PLACE]] + ttl <= due):
                return UNKNOWN_TO_IT
            if level > 0:
                some = due - now
            elif arrived > first:
                some = due - recv[first]
        work(
            due, order, due, recv, work_s, duration, ttl, timeout_s, is_uniform, start, done, where, slowness, serves,
            loads, heads, tails, after, before, ends, orders, requests, counts, none,
        )  # fmt: skip
        n_ended, slack = counts[N_ENDED], counts[SLACK]
        clock[OVER] += counts[N_OVER]
        while counts[PLACE] < arrived and recv[counts[PLACE]] + ttl <= due:
            expires = recv[counts[PLACE]] + ttl
            done[counts[PLACE]] = expires
            n_ended += 1
            slack += due - expires
            counts[PLACE] += 1
            clock[OVER] += 1
        span = due - now
        surface = level * span - slack + sum_arrived
        clock[NOW], clock[ARRIVED], clock[BACKLOG_NOW] = due, arrived, level + arrived - first - n_ended
        area[BACKLOG] += surface
        defined[BACKLOG] += span
        if capacity:
            area[PER_INSTANCE] += surface / capacity
            defined[PER_INSTANCE] += span
        elif at_zero_as_one:
            area[PER_INSTANCE] += surface
            defined[PER_INSTANCE] += span
        area[WITHOUT_CAPACITY] += some
        defined[WITHOUT_CAPACITY] += span
        # What is due.
        if kind < 0:
            roll_due[-1 - kind] = 2**62
        if due >= clock[MINUTE_END]:
            close_minute(
                clock, omits_zeros, area, defined, delays, n_published, is_there, averages, sums, point_counts, visible
            )
            counts[N_ENTERED] += 1
            free = 0 if roll_due[0] == 2**62 else 1
            roll_due[free], roll_order[free] = clock[MINUTE_END], counts[N_ENTERED]
        if kind < 0:
            continue
        counts[N_ENTERED] += 1
        turn_due[kind], turn_order[kind] = due + MINUTE_NS, counts[N_ENTERED]
        state = _judged(kind, clock, watched, thresholds, values, is_there, averages, sums, visible)
        if state not in (KEEP, states[kind]):
            states[kind] = state
            return kind
        if states[kind] != ALARM or acts[kind] == NO_ACTION:
            continue
        if limit <= due + action_delay:
            return kind
        is_skipped = skips_all
        if acts[kind] == TRACKING_LOW:
            is_skipped = is_skipped or skips_low or due + action_delay < in_cooldown_until
        elif acts[kind] == TRACKING_HIGH:
            is_skipped = is_skipped or skips_high
        if not is_skipped:
            return kind
