/** What is drawn around the lines of a chart: bands of quality, lanes of cells, what is unusual, notes, marks, the cursor. */

export const LANE = 16;
const STRIP = 5;
const NOTE_LEAST = 30;
const NOTE_MOST = 180;

/** A plugin of Chart.js; it draws what the chart's owner (`chart.$remsim`, a TimeChart) holds. */
export const layers = {
	id: 'remsimLayers',
	beforeDatasetsDraw(chart) {
		const owner = chart.$remsim;
		if (!owner)
			return;
		const { ctx } = chart;
		ctx.save();
		qualityBands(owner, chart);
		spans(owner, chart);
		strips(owner, chart);
		owner.drawBars?.(chart);
		ctx.restore();
	},
	afterDatasetsDraw(chart) {
		const owner = chart.$remsim;
		if (!owner)
			return;
		const { ctx } = chart;
		ctx.save();
		ctx.font = `${owner.fontPx}px system-ui, sans-serif`;
		unusual(owner, chart);
		notes(owner, chart);
		marks(owner, chart);
		cursor(owner, chart);
		drag(owner, chart);
		ctx.restore();
	}
};

function qualityBands({ qualityBands: limits, colours }, { ctx, chartArea: area, scales }) {
	if (!limits)
		return;
	const edges = [-Infinity, ...limits, Infinity];
	ctx.globalAlpha = 0.07;
	['poor', 'fair', 'good', 'excellent'].forEach((word, at) => {
		const top = Math.max(area.top, Number.isFinite(edges[at + 1]) ? scales.y.getPixelForValue(edges[at + 1]) : area.top);
		const bottom = Math.min(area.bottom, Number.isFinite(edges[at]) ? scales.y.getPixelForValue(edges[at]) : area.bottom);
		if (bottom > top) {
			ctx.fillStyle = colours[word];
			ctx.fillRect(area.left, top, area.right - area.left, bottom - top);
		}
	});
}

/** Pixels of a span of time inside the chart's area; null when it is outside. */
function inside({ chartArea: area, scales }, from, to) {
	const left = Math.max(scales.x.getPixelForValue(from), area.left);
	const right = Math.min(scales.x.getPixelForValue(to), area.right);
	return right >= left ? [left, right - left] : null;
}

/** Grounds of what is unusual, and of notes that are of a span. */
function spans(owner, chart) {
	const { ctx, chartArea: area } = chart;
	const paint = (list, colour) => {
		ctx.fillStyle = colour;
		for (const { from, to } of list) {
			const place = to > from && inside(chart, from, to);
			if (place)
				ctx.fillRect(place[0], area.top, Math.max(place[1], 1), area.bottom - area.top);
		}
	};
	ctx.globalAlpha = 0.12;
	paint(owner.unusual, owner.colours.fair);
	paint(owner.notes.map(note => ({ from: note.t, to: note.to })), owner.colours.accent);
}

/** One thin strip a modem above the lines: a colour a cell or band, a gap at each change. */
function strips(owner, chart) {
	const { ctx, chartArea: area } = chart;
	ctx.globalAlpha = 1;
	owner.lanes.forEach((segments, row) => {
		for (const { from, to, colour } of segments) {
			const place = inside(chart, from, to);
			if (!place || colour === null)
				continue;
			ctx.fillStyle = owner.colours.series[colour % 8];
			ctx.fillRect(place[0], area.top + row * (STRIP + 1), Math.max(place[1] - (place[1] > 3 ? 1 : 0), 0.5), STRIP);
		}
	});
}

/** A diamond where a stretch of unusual values is farthest off. */
function unusual(owner, { ctx, chartArea: area, scales }) {
	const top = area.top + owner.lanes.length * (STRIP + 1) + 5;
	ctx.strokeStyle = owner.colours.fair;
	ctx.fillStyle = owner.colours.surface;
	ctx.lineWidth = 1.5;
	for (const { from, to, value } of owner.unusual) {
		const x = scales.x.getPixelForValue((from + to) / 2), y = Math.min(Math.max(scales.y.getPixelForValue(value), top), area.bottom);
		if (x < area.left || x > area.right)
			continue;
		ctx.beginPath();
		[[0, -5], [5, 0], [0, 5], [-5, 0]].forEach(([dx, dy], at) => at ? ctx.lineTo(x + dx, y + dy) : ctx.moveTo(x + dx, y + dy));
		ctx.closePath();
		ctx.fill();
		ctx.stroke();
	}
}

function notes(owner, { ctx, chartArea: area, scales }) {
	ctx.textAlign = 'left';
	ctx.lineWidth = 1;
	const top = area.top + owner.lanes.length * (STRIP + 1);
	const placed = owner.notes.map(note => ({ note, x: scales.x.getPixelForValue(note.t) })).filter(({ x }) => x >= area.left && x <= area.right);
	placed.forEach(({ note, x }, at) => {
		ctx.strokeStyle = ctx.fillStyle = owner.colours.accent;
		ctx.setLineDash([4, 3]);
		line(ctx, x, area.top, area.bottom);
		ctx.setLineDash([]);
		ctx.beginPath();
		ctx.moveTo(x, top);
		ctx.lineTo(x + 8, top + 4);
		ctx.lineTo(x, top + 8);
		ctx.fill();
		const room = Math.min((at + 1 < placed.length ? placed[at + 1].x : area.right) - x - 18, NOTE_MOST);
		const text = room < NOTE_LEAST ? '' : fitting(ctx, note.text, room);
		ctx.globalAlpha = 0.85;
		ctx.fillStyle = owner.colours.surface;
		ctx.fillRect(x + 10, top, text ? ctx.measureText(text).width + 4 : 0, owner.fontPx + 3);
		ctx.globalAlpha = 1;
		ctx.fillStyle = owner.colours.text;
		ctx.fillText(text, x + 12, top + owner.fontPx);
	});
}

/** So much of a text as has room. */
function fitting(ctx, text, room) {
	if (ctx.measureText(text).width <= room)
		return text;
	let length = Math.min(text.length, 60);
	while (length > 0 && ctx.measureText(`${text.slice(0, length)}…`).width > room)
		length -= 1;
	return length ? `${text.slice(0, length)}…` : '';
}

function marks(owner, { ctx, height }) {
	ctx.fillStyle = owner.colours.muted;
	ctx.textAlign = 'center';
	owner.placeMarks();
	for (const { mark, x } of owner.marks)
		ctx.fillText(mark, x, height - 3);
}

function cursor(owner, { ctx, chartArea: area, scales }) {
	const time = owner.cursorTime();
	if (time === null)
		return;
	ctx.strokeStyle = owner.colours.muted;
	ctx.lineWidth = 1;
	line(ctx, scales.x.getPixelForValue(time), area.top, area.bottom);
}

function drag(owner, { ctx, chartArea: area }) {
	if (!owner.drag)
		return;
	const [from, to] = owner.drag;
	ctx.fillStyle = owner.colours.accent;
	ctx.globalAlpha = 0.15;
	ctx.fillRect(Math.min(from, to), area.top, Math.abs(to - from), area.bottom - area.top);
}

function line(ctx, x, top, bottom) {
	ctx.beginPath();
	ctx.moveTo(x, top);
	ctx.lineTo(x, bottom);
	ctx.stroke();
}
