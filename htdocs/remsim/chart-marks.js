/** Events as small marks on the lane under a time axis. */

const MARKS = { cell_change: '●', technology_change: '▲', sim_state: '■', remote_sim: '■', disconnect: '✕', connect: '✓', reboot: '↻', vanished: '✕', failover: '◆', link_down: '✕', link_up: '✓', error: '!', alert: '⚑' };

/** What is marked where all events are too many. */
export const RARE_KINDS = ['connect', 'disconnect', 'sim_state', 'reboot', 'vanished', 'failover', 'link_down', 'link_up', 'error', 'alert'];

const COMMON = ['technology_change', 'cell_change'];

/** The mark of an event's kind; null for kinds that have none. */
export function markOf(kind) {
	return MARKS[kind] || null;
}

/** The marks of a lane that have room of `width` pixels, the rare ones first; `place` gives a time's pixel, null outside. */
export function roomyMarks(events, place, width) {
	const rank = ({ event }) => COMMON.indexOf(event.kind) + 1;
	const placed = events.map(event => ({ ...event, x: place(event.t) })).filter(({ x }) => x !== null);
	const kept = [];
	for (const mark of placed.sort((a, b) => rank(a) - rank(b))) {
		if (kept.every(other => Math.abs(other.x - mark.x) >= width))
			kept.push(mark);
	}
	return kept;
}
