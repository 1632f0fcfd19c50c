/** What hands do to a chart: cursor, zoom by drag or with two fingers, keys. */

const STILL = 6;
const LEAST_APART = 20;
const PAN = 0.25;
const STEPS = 60;

/** Listen to pointers on the canvas and to keys on the frame of `chart` (a TimeChart). */
export function listen(chart) {
	const { canvas, frame, group } = chart;
	const fingers = new Map(); // pointer -> [x where it went down, x now]
	const x = pointer => pointer.clientX - canvas.getBoundingClientRect().left;
	canvas.addEventListener('pointerdown', pointer => {
		fingers.set(pointer.pointerId, [x(pointer), x(pointer)]);
		group.setCursor(chart.timeAt(x(pointer)));
		if (pointer.pointerType === 'mouse')
			canvas.setPointerCapture(pointer.pointerId);
	});
	canvas.addEventListener('pointermove', pointer => {
		const finger = fingers.get(pointer.pointerId);
		if (finger)
			finger[1] = x(pointer);
		if (fingers.size === 2) {
			const shown = pinched(chart, ...fingers.values());
			if (shown)
				group.preview(...shown);
			return;
		}
		if (finger && pointer.pointerType === 'mouse' && Math.abs(finger[1] - finger[0]) > STILL)
			chart.drag = finger;
		group.setCursor(chart.timeAt(x(pointer)));
	});
	canvas.addEventListener('pointerup', pointer => {
		const finger = fingers.get(pointer.pointerId), shown = fingers.size === 2 ? pinched(chart, ...fingers.values()) : null;
		if (shown) {
			fingers.clear(); // the other one is lifted too, and means no press
			group.zoom(...shown);
			return;
		}
		fingers.delete(pointer.pointerId);
		if (chart.drag) {
			const [from, to] = chart.drag.map(pixel => chart.timeAt(pixel)).sort((a, b) => a - b);
			chart.drag = null;
			group.zoom(from, to);
		} else if (finger && Math.abs(finger[1] - finger[0]) < STILL)
			chart.press(finger[0], pointer.clientY - canvas.getBoundingClientRect().top);
	});
	canvas.addEventListener('pointercancel', pointer => {
		fingers.delete(pointer.pointerId);
		chart.drag = null;
	});
	canvas.addEventListener('pointerleave', pointer => {
		if (!fingers.has(pointer.pointerId) && pointer.pointerType !== 'touch') // a finger lifted leaves the values to be read
			group.setCursor(null);
	});
	frame.addEventListener('keydown', key => {
		if (!key.ctrlKey && !key.metaKey && !key.altKey && pressed(chart, key))
			key.preventDefault();
	});
}

/** Two fingers: what was between them stays between them. Null while they are too near for that. */
function pinched(chart, one, other) {
	const before = Math.abs(one[0] - other[0]), after = Math.abs(one[1] - other[1]);
	if (before < LEAST_APART || after < LEAST_APART)
		return null;
	const { left, right } = chart.chart.chartArea, width = right - left;
	const time = pixel => chart.from + (pixel - left) / width * (chart.to - chart.from);
	const span = (chart.to - chart.from) * before / after;
	const middle = time((one[0] + other[0]) / 2), at = ((one[1] + other[1]) / 2 - left) / width;
	return [middle - at * span, middle + (1 - at) * span];
}

/** Whether a key was for the chart. */
function pressed(chart, { key, shiftKey }) {
	const { from, to, group } = chart, span = to - from;
	const cursor = chart.cursorTime(), middle = cursor ?? (from + to) / 2;
	const zoom = factor => group.zoom(middle - (middle - from) * factor, middle + (to - middle) * factor);
	const move = direction => {
		if (shiftKey)
			group.setCursor(Math.min(Math.max((cursor ?? (direction > 0 ? from : to)) + direction * span / STEPS, from), to));
		else
			group.zoom(from + direction * span * PAN, to + direction * span * PAN);
	};
	const keys = {
		'+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), '−': () => zoom(2),
		ArrowLeft: () => move(-1), ArrowRight: () => move(1),
		Home: () => group.onWhole(),
		Enter: () => chart.pressAt(middle),
		Escape: () => group.setCursor(null)
	};
	if (!(key in keys))
		return false;
	keys[key]();
	return true;
}
