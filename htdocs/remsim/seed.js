/** The last minutes of lines that began before the page was opened. */

import { mainSignal } from './quality.js';
import { fetchSeries } from './series.js';

const POINTS = 300;

/** Give small lines the last `seconds` of their modems' signal; without an answer they begin with what comes. */
export async function seed(store, modems, request, seconds) {
	const wanted = modems.map(modem => [modem.id, mainSignal(modem.reading)]).filter(([, signal]) => signal && signal.measure !== 'rscp_dbm');
	if (!wanted.length)
		return;
	const ids = [...new Set(wanted.map(([id]) => id))], measures = [...new Set(wanted.map(([, signal]) => signal.measure))];
	try {
		const found = await fetchSeries(request, { modems: ids, measures, range: seconds, points: Math.min(POINTS, seconds) });
		for (const [id, { measure }] of wanted)
			store.seed(id, measure, found.get(`${id} ${measure}`)?.points || []);
	} catch { /* an extra, no more */ }
}
