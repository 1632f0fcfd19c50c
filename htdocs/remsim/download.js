/** Links that save something. */

import { el } from './dom.js';

/** A link in `box` that keeps its element, and with it the keyboard's place, while its address changes; none without a `url`. */
export function download(box, tag, url, text, label = null) {
	const old = [...box.children].find(child => child.textContent === text);
	if (old && url)
		old.href = url;
	else if (old)
		old.remove();
	else if (url)
		box.appendChild(el(tag, { href: url, download: '', 'aria-label': label }, text));
}

/** A file made here: `content` is a Blob. */
export function save(content, name) {
	const url = URL.createObjectURL(content);
	el('a', { href: url, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** The name of a file of what a chart shows. */
export function fileName(chart, ending) {
	return `remsim-${chart.spec.id || 'chart'}-${new Date(chart.to * 1000).toISOString().slice(0, 16).replaceAll(':', '-')}.${ending}`;
}

/** A cell of CSV that no spreadsheet takes for a formula. */
function cell(text) {
	const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : String(text);
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What a chart of bars shows as CSV: the start of each bar in UTC, and a column a line. */
function csvOf({ lines }) {
	const times = [...new Set(lines.flatMap(line => line.points.map(point => point[0])))].sort((a, b) => a - b);
	const columns = lines.map(line => new Map(line.points.map(point => [point[0], point[2]])));
	const rows = times.map(time => [new Date(time * 1000).toISOString(), ...columns.map(column => Math.round(column.get(time) ?? 0))]);
	return [['time', ...lines.map(line => line.label)], ...rows].map(row => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** Save it. */
export function saveCsv(chart) {
	if (chart.chart)
		save(new Blob([csvOf(chart)], { type: 'text/csv' }), fileName(chart, 'csv'));
}
