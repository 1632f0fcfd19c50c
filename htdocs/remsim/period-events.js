/** The events of a period as charts mark them: where all are too many, those of cell and technology are left out. */

import { RARE_KINDS, markOf } from './chart-marks.js';
import { epoch } from './format.js';

const RARE_ONLY_S = 90000;
const PAGE = 500;
const PAGES = 3;

/** {list (newest first), isRare: only the rare kinds} of the events from `from` to `to`; null after an error. `modem`: of one only. */
export async function eventsOf(asking, { from, to, modem = null }) {
	const all = to - from > RARE_ONLY_S ? null : await pages(asking, { from, to, modem });
	if (all && !all.more)
		return { list: all.list, isRare: false };
	const rare = await pages(asking, { from, to, modem, kind: RARE_KINDS.join() }); // a lane that ends in the middle would say that nothing happened before
	return rare && { list: rare.list, isRare: true };
}

async function pages(asking, query) {
	const list = [];
	let cursor = null;
	for (let page = 0; page < PAGES; page++) {
		const answer = await asking.ask('events', { ...query, limit: PAGE, cursor });
		if (!answer || answer.error)
			return null;
		list.push(...answer.events);
		cursor = answer.next;
		if (cursor === null)
			break;
	}
	return { list, more: cursor !== null };
}

/** Marks of events for a chart's lane, oldest first. */
export function marksOf(events) {
	return events.filter(event => markOf(event.kind)).map(event => ({ t: epoch(event.at), mark: markOf(event.kind), event })).sort((a, b) => a.t - b.t);
}
