/** What a value means: bands of quality with a word, so that colour never stands alone. */

import { msg } from './words.js';

export const WORDS = [msg('poor'), msg('fair'), msg('good'), msg('excellent')];

/** Lower limits of fair, good and excellent as set on the router; peers differ, these are what most of them share. */
export const BANDS = {
	rsrp_dbm: [-100, -90, -80],
	nr_rsrp_dbm: [-100, -90, -80],
	rsrq_db: [-20, -15, -10],
	nr_rsrq_db: [-20, -15, -10],
	sinr_db: [0, 13, 20],
	nr_sinr_db: [0, 13, 20],
	rssi_dbm: [-85, -75, -65]
};

/** Take the limits that are set on the router: {rsrp_dbm: [fair, good, excellent], …}; 5G has the same. */
export function takeLimits(limits) {
	for (const [measure, three] of Object.entries(limits || {})) {
		for (const name of [measure, `nr_${measure}`]) {
			if (name in BANDS)
				BANDS[name] = three;
		}
	}
}

/** The word for a value of a measure; null for unknown values and measures without bands. */
export function quality(measure, value) {
	const limits = BANDS[measure];
	if (!limits || value === null || value === undefined)
		return null;
	return WORDS[limits.filter(limit => value >= limit).length];
}

/** Filled bars of four. */
export function bars(measure, value) {
	const word = quality(measure, value);
	return word === null ? 0 : WORDS.indexOf(word) + 1;
}

/** The measure that tells a modem's signal best: RSRP, its 5G fellow, RSCP's stand-in RSSI. */
export function mainSignal(reading) {
	for (const measure of ['rsrp_dbm', 'nr_rsrp_dbm', 'rssi_dbm']) {
		if (reading && reading[measure] !== null && reading[measure] !== undefined)
			return { measure, value: reading[measure], label: measure.endsWith('rssi_dbm') ? 'RSSI' : 'RSRP' };
	}
	if (reading && reading.rscp_dbm !== null && reading.rscp_dbm !== undefined)
		return { measure: 'rscp_dbm', value: reading.rscp_dbm, label: 'RSCP' };
	return null;
}
