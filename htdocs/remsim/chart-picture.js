/** A chart as a picture that explains itself: title, unit, period, legend, on a solid ground. */

import { el } from './dom.js';
import { fileName, save } from './download.js';
import { moment } from './format.js';

const PAD = 12;
const LINE = 1.7;

/** A canvas of what `chart` (a TimeChart) shows; `note` is a last line, as where it comes from. */
export function pictureOf(chart, note = '') {
	const { canvas, colours, fontPx, spec } = chart;
	const scale = canvas.width / canvas.clientWidth, font = fontPx * 1.15;
	const sheet = document.createElement('canvas'), ctx = sheet.getContext('2d');
	ctx.font = `${font}px system-ui, sans-serif`;
	const entries = placed(chart.lines, canvas.clientWidth - 2 * PAD, text => ctx.measureText(text).width + 36);
	const legendRows = entries.length ? entries[entries.length - 1].row + 1 : 0;
	const top = PAD + font * LINE * (2 + legendRows);
	sheet.width = canvas.width + 2 * PAD * scale;
	sheet.height = canvas.height + (top + PAD + (note ? font * LINE : 0)) * scale;
	ctx.scale(scale, scale);
	ctx.fillStyle = colours.surface;
	ctx.fillRect(0, 0, sheet.width, sheet.height);
	ctx.fillStyle = colours.text;
	ctx.font = `600 ${font * 1.15}px system-ui, sans-serif`;
	ctx.fillText([spec.title, spec.unit].filter(Boolean).join(' · '), PAD, PAD + font);
	ctx.font = `${font}px system-ui, sans-serif`;
	ctx.fillStyle = colours.muted;
	ctx.fillText(`${moment(chart.from, 0, false)} – ${moment(chart.to, 0, false)} · ${chart.resolution()}`, PAD, PAD + font * (1 + LINE));
	for (const { line, x, row } of entries) {
		const y = PAD + font * (1 + LINE * (2 + row)), [set] = line.sets[0];
		ctx.strokeStyle = set.borderColor;
		ctx.lineWidth = 3;
		ctx.setLineDash(set.borderDash || []);
		ctx.beginPath();
		ctx.moveTo(PAD + x, y - font / 3);
		ctx.lineTo(PAD + x + 18, y - font / 3);
		ctx.stroke();
		ctx.setLineDash([]);
		ctx.fillText(line.label, PAD + x + 22, y);
	}
	ctx.drawImage(canvas, PAD, top, canvas.clientWidth, canvas.clientHeight);
	if (note)
		ctx.fillText(note, PAD, top + canvas.clientHeight + font * 1.4);
	return sheet;
}

/** The legend's entries in rows that are not wider than the picture. */
function placed(lines, width, widthOf) {
	let x = 0, row = 0;
	return lines.map(line => {
		const needed = widthOf(line.label);
		if (x && x + needed > width) {
			x = 0;
			row += 1;
		}
		const entry = { line, x, row };
		x += needed;
		return entry;
	});
}

/** A button that saves the picture. */
export function pictureButton(chart, t, note) {
	return el('button.remsim-picture', {
		type: 'button', 'aria-label': t('%s as PNG', chart.spec.title), click: () => {
			if (chart.chart)
				pictureOf(chart, note).toBlob(blob => save(blob, fileName(chart, 'png')), 'image/png');
		}
	}, 'PNG');
}
