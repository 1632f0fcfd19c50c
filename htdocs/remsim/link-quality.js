/** The connection quality of a live reading, as the service works it out of stored values (telemetry/quality.py; a test holds both equal). */

const SCORES = [0, 25, 50, 75, 100];

/** Weight of each input, and where it has the scores 0, 25, 50, 75 and 100. */
const INPUTS = {
	rsrp_dbm: [25, [-120, -100, -90, -80, -70]],
	rsrq_db: [15, [-25, -20, -15, -10, -5]],
	sinr_db: [30, [-10, 0, 13, 20, 30]],
	latency_ms: [15, [500, 200, 100, 50, 20]],
	loss_percent: [15, [50, 10, 3, 1, 0]]
};

const isKnown = value => value !== null && value !== undefined;

/** The score of a value on the straight lines between the places of its curve. */
function score(value, curve) {
	const rises = curve[4] > curve[0];
	const at = curve.filter(place => rises ? value >= place : value <= place).length;
	if (at === 0 || at === 5)
		return SCORES[Math.max(at - 1, 0)];
	return SCORES[at - 1] + 25 * (value - curve[at - 1]) / (curve[at] - curve[at - 1]);
}

/** 0 to 100; null when no signal value is known. */
export function qualityPercent(reading) {
	if (!reading || !['rsrp_dbm', 'rsrq_db', 'sinr_db'].some(name => isKnown(reading[name])))
		return null;
	let total = 0, weights = 0;
	for (const [name, [weight, curve]] of Object.entries(INPUTS)) {
		if (isKnown(reading[name])) {
			total += weight * score(reading[name], curve);
			weights += weight;
		}
	}
	return total / weights * (1 - (reading.loss_percent || 0) / 100);
}

const WORDS = ['poor', 'fair', 'good', 'excellent'];

/** The word of a quality: 25, 50 and 75 are where fair, good and excellent begin. */
export function qualityWord(percent) {
	return WORDS[Math.min(3, Math.floor(percent / 25))];
}
