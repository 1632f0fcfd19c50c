/** Points [[t, min, avg, max], …] of a line: what is near a time, their statistics, live values put to them. */

import { withUnit } from './format.js';

/**
 * Put a live value to a line: into the span of `stepS` that is still open, or as the first of a new one. So a chart
 * that stays open has as many points as one that was just loaded.
 */
export function takeLive(line, time, value, stepS) {
	const end = stepS > 1 ? Math.ceil(time / stepS) * stepS : time;
	const { open, points } = line;
	if (!open || open.end !== end) {
		line.open = value === null ? null : { end, count: 1, sum: value };
		points.push([time, value, value, value]);
	} else if (value !== null) {
		const [, least, , most] = points[points.length - 1];
		open.count += 1;
		open.sum += value;
		points[points.length - 1] = [time, Math.min(least, value), open.sum / open.count, Math.max(most, value)];
	}
}

/** The last known value, unless it is older than `oldest`. */
export function latest(points, oldest) {
	for (let at = points.length - 1; at >= 0 && points[at][0] >= oldest; at--) {
		if (points[at][2] !== null)
			return points[at];
	}
	return null;
}

/** The point next to a time, unless it is further away than `within`. */
export function nearest(points, time, within) {
	let low = 0, high = points.length - 1;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (points[middle][0] < time)
			low = middle + 1;
		else
			high = middle;
	}
	const around = [points[low - 1], points[low]].filter(Boolean);
	const best = around.sort((a, b) => Math.abs(a[0] - time) - Math.abs(b[0] - time))[0];
	return best && Math.abs(best[0] - time) <= within ? best : null;
}

/** Least, mean, median, 95th percentile and greatest of a line; null without values. */
export function statistics(points) {
	const known = points.filter(point => point[2] !== null);
	if (!known.length)
		return null;
	const means = known.map(point => point[2]).sort((a, b) => a - b);
	const rank = percent => means[Math.max(Math.ceil(percent / 100 * means.length) - 1, 0)];
	return {
		min: known.reduce((least, point) => Math.min(least, point[1]), Infinity),
		max: known.reduce((most, point) => Math.max(most, point[3]), -Infinity),
		avg: means.reduce((sum, value) => sum + value, 0) / means.length,
		median: rank(50),
		p95: rank(95)
	};
}

/** A step between points in one unit. */
export function stepText(seconds) {
	if (seconds % 86400 === 0)
		return withUnit(seconds / 86400, 'd');
	if (seconds % 3600 === 0)
		return withUnit(seconds / 3600, 'h');
	return seconds % 60 === 0 ? withUnit(seconds / 60, 'min') : withUnit(seconds, 's');
}
