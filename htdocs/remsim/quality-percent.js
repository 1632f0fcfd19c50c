/** How good a connection is, 0 to 100, of a live reading: the formula of telemetry/quality.py, which docs/history.md tells. */

const SCORES = [0, 25, 50, 75, 100];
const INPUTS = [
	['rsrp_dbm', 25, [-120, -100, -90, -80, -70]],
	['rsrq_db', 15, [-25, -20, -15, -10, -5]],
	['sinr_db', 30, [-10, 0, 13, 20, 30]],
	['latency_ms', 15, [500, 200, 100, 50, 20]],
	['loss_percent', 15, [50, 10, 3, 1, 0]]
];
const SIGNAL = INPUTS.slice(0, 3);

/** The score of a value: straight lines between the corners, which rise or fall. */
function scoreOf(value, corners) {
	const rises = corners[4] > corners[0], isBelow = at => rises ? value <= corners[at] : value >= corners[at];
	if (isBelow(0))
		return 0;
	for (let at = 1; at < corners.length; at++) {
		if (isBelow(at))
			return SCORES[at - 1] + (value - corners[at - 1]) / (corners[at] - corners[at - 1]) * (SCORES[at] - SCORES[at - 1]);
	}
	return 100;
}

/** The quality in percent; null without any value of the signal. */
export function qualityPercent(reading) {
	const known = value => value !== null && value !== undefined;
	if (!reading || !SIGNAL.some(([name]) => known(reading[name])))
		return null;
	let total = 0, weights = 0;
	for (const [name, weight, corners] of INPUTS) {
		if (known(reading[name])) {
			total += weight * scoreOf(reading[name], corners);
			weights += weight;
		}
	}
	const loss = Math.min(Math.max(reading.loss_percent ?? 0, 0), 100);
	return Math.min(Math.max(total / weights, 0), 100) * (1 - loss / 100);
}

const WORDS = ['poor', 'fair', 'good', 'excellent'];

/** Its word: 25, 50 and 75 are where fair, good and excellent begin. */
export function qualityWord(percent) {
	return WORDS[Math.min(3, Math.floor(percent / 25))];
}
