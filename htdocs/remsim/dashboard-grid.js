/** Where widgets stand: twelve columns, rows that are counted from 0, nothing over another thing, no holes above. */

export const COLUMNS = 12;

/** Whether two places share a cell. */
function overlap(a, b) {
	return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** In reading order, which is also that of one column. */
export function inOrder(widgets) {
	return [...widgets].sort((a, b) => a.y - b.y || a.x - b.x);
}

/** The same widgets without overlaps and holes. The `active` one stands where it was put; who is in its way goes down. */
export function arranged(widgets, active = null) {
	const first = widgets.find(one => one.id === active);
	const placed = first ? [{ ...first }] : [];
	for (const one of inOrder(widgets)) {
		if (one.id === active)
			continue;
		const place = { ...one };
		let other;
		while ((other = placed.find(known => overlap(known, place))))
			place.y = other.y + other.h;
		placed.push(place);
	}
	const settled = [];
	for (const one of inOrder(placed)) {
		while (one.y > 0 && !settled.some(other => overlap(other, { ...one, y: one.y - 1 })))
			one.y -= 1;
		settled.push(one);
	}
	return settled;
}

/** The rows that widgets take. */
export function heightOf(widgets) {
	return Math.max(0, ...widgets.map(one => one.y + one.h));
}

/** A widget within the grid, at least as large as its kind has to be. */
export function within(widget, least) {
	const w = Math.min(COLUMNS, Math.max(least.w, widget.w)), h = Math.min(100, Math.max(least.h, widget.h));
	return { ...widget, w, h, x: Math.min(Math.max(0, widget.x), COLUMNS - w), y: Math.max(0, widget.y) };
}

const isSame = (a, b) => a.every(one => b.some(other => other.id === one.id && other.x === one.x && other.y === one.y && other.w === one.w && other.h === one.h));

/**
 * Move (or, with `size`, change the size of) one widget by the smallest step in a direction that makes a difference.
 * Null when there is none.
 */
export function stepped(widgets, id, [dx, dy], size, least) {
	const from = widgets.find(one => one.id === id);
	for (let far = 1; far <= heightOf(widgets) + 1; far++) {
		const moved = within(size ? { ...from, w: from.w + dx * far, h: from.h + dy * far } : { ...from, x: from.x + dx * far, y: from.y + dy * far }, least);
		const next = arranged(widgets.map(one => one.id === id ? moved : one), id);
		if (!isSame(next, widgets))
			return next;
		if (dx)
			return null;
	}
	return null;
}

/**
 * In one column: one widget takes the place before (-1) or after (1) its neighbour, wherever on the grid that gives the
 * order and is nearest. Null at the ends.
 */
export function swapped(widgets, id, direction) {
	const order = inOrder(widgets), at = order.findIndex(one => one.id === id), other = order[at + direction];
	if (!other)
		return null;
	const own = order[at], wanted = order.map(one => one.id);
	[wanted[at], wanted[at + direction]] = [other.id, id];
	const places = [];
	for (let y = 0; y <= heightOf(widgets); y++) {
		for (let x = 0; x <= COLUMNS - own.w; x++)
			places.push({ ...own, x, y });
	}
	const far = place => Math.abs(place.y - other.y) * COLUMNS + Math.abs(place.x - other.x);
	for (const place of places.sort((a, b) => far(a) - far(b))) {
		const next = arranged(widgets.map(one => one.id === id ? place : one), id);
		if (inOrder(next).every((one, index) => one.id === wanted[index]))
			return next;
	}
	return stacked(wanted.map(name => widgets.find(one => one.id === name)));
}

/** One below the other. */
function stacked(widgets) {
	let y = 0;
	return widgets.map(one => ({ ...one, x: 0, y: (y += one.h) - one.h }));
}

/**
 * Where the bar with the period stands: before the first row of which a widget follows the period, and as far up as no
 * widget is cut by it.
 */
export function splitAt(widgets, follows) {
	let row = Math.min(...widgets.filter(follows).map(one => one.y));
	if (!Number.isFinite(row))
		return null;
	let cut;
	while ((cut = widgets.find(one => one.y < row && one.y + one.h > row)))
		row = cut.y;
	return row;
}
