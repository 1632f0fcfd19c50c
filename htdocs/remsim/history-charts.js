/** The charts that History can show: their lines and their usual range. */

import { bitRate, bytes, number } from './format.js';
import { msg } from './words.js';

/**
 * A line is [measure, suffix of its name, whether it is dashed]. `bars` names the source of a chart of counted things, whose
 * `kinds` are [kind, suffix of its name]; `unusual`: the measure in which unusual stretches are looked for; `strips`: cells
 * and bands are shown in it. What its values mean is in meanings.js.
 */
export const CHARTS = [
	{
		id: 'quality', title: msg('Connection quality'), unit: '%', min: 0, max: 100, digits: 0, strips: true, unusual: 'quality_percent', lines: [['quality_percent', '']]
	},
	{
		id: 'rsrp', title: msg('RSRP'), unit: 'dBm', min: -125, max: -70, bands: true, strips: true, unusual: 'rsrp_dbm', lines: [['rsrp_dbm', ''], ['nr_rsrp_dbm', '5G', true]]
	},
	{
		id: 'rsrq', title: msg('RSRQ'), unit: 'dB', min: -20, max: -3, digits: 1, bands: true, strips: true, unusual: 'rsrq_db', lines: [['rsrq_db', ''], ['nr_rsrq_db', '5G', true]]
	},
	{
		id: 'sinr', title: msg('SINR'), unit: 'dB', min: -5, max: 30, digits: 1, bands: true, strips: true, unusual: 'sinr_db', lines: [['sinr_db', ''], ['nr_sinr_db', '5G', true]]
	},
	{
		id: 'rssi', title: msg('RSSI'), unit: 'dBm', min: -100, max: -50, bands: true, strips: true, unusual: 'rssi_dbm', lines: [['rssi_dbm', '']]
	},
	{
		id: 'rate', title: msg('Throughput'), unit: '', min: 0, max: 1e6, format: bitRate, axis: bitRate, axisWidth: 72, lines: [['rx_bits_per_s', '↓'], ['tx_bits_per_s', '↑', true]]
	},
	{
		id: 'latency', title: msg('Latency and jitter'), unit: 'ms', min: 0, max: 100, digits: 0, logarithmic: true, unusual: 'latency_ms', lines: [['latency_ms', ''], ['jitter_ms', msg('jitter'), true]]
	},
	{
		id: 'loss', title: msg('Loss'), unit: '%', min: 0, max: 5, digits: 1, lines: [['loss_percent', '']]
	},
	{
		id: 'temperature', title: msg('Temperature'), unit: '°C', min: 20, max: 70, digits: 0, unusual: 'temperature_c', lines: [['temperature_c', '']]
	},
	{
		id: 'usage', title: msg('Data used'), unit: '', bars: 'usage', format: bytes, axis: bytes, axisWidth: 72
	},
	{
		id: 'lost', title: msg('Lost connections'), unit: '', bars: 'counts', max: 4, digits: 0, axis: whole, kinds: [['disconnect', '']]
	},
	{
		id: 'bankd', title: msg('Remote SIM served by its bank'), unit: '%', min: 0, max: 100, digits: 0, lines: [['bankd_link_percent', '']]
	},
	{
		id: 'reconnects', title: msg('Bank links that came back'), unit: '', bars: 'counts', max: 4, digits: 0, axis: whole, kinds: [['bankd_reconnect', '']]
	},
	{
		id: 'failovers', title: msg('Failovers'), unit: '', bars: 'counts', max: 4, digits: 0, axis: whole, kinds: [['failover', '']]
	},
	{
		id: 'authentication', title: msg('Registration accepted and refused'), unit: '', bars: 'counts', max: 4, digits: 0, axis: whole,
		kinds: [['authentication_success', msg('accepted')], ['authentication_failure', msg('refused')]]
	}
];

/** How one gets about in them. */
export const HELP = [
	msg('Drag over a chart, or put two fingers on it, to zoom in; “Whole range” leads back.'),
	msg('Press a time: what changed there, a note, nearer. Press a mark under a chart to open its event.'),
	msg('With the keyboard: + and − zoom, ← and → move, with Shift they move the cursor, Enter presses it, Home shows the whole range.'),
	msg('Marks: ● cell, ▲ technology, ■ SIM, ✕ connection or link lost, ✓ back, ↻ restart, ◆ failover, ⚑ alert, ! error. ◇ stands on unusual values.'),
	msg('The strip on top of a signal chart has a colour for each cell (or band, or technology), one strip a modem in their order; the cursor names it.'),
	msg('The pale ground around a line reaches from the least to the greatest value that each point stands for. Where a line is broken, nothing was recorded.')
];

/** Shown where nobody has chosen yet. */
export const USUAL = ['quality', 'rsrp', 'sinr', 'rate', 'latency', 'loss', 'usage', 'lost'];

/** Things are counted in whole numbers. */
function whole(value) {
	return Number.isInteger(value) ? number(value) : null;
}

/** The measures that charts draw as lines, each once. */
export function measuresOf(charts) {
	return [...new Set(charts.filter(chart => !chart.bars).flatMap(chart => chart.lines.map(line => line[0])))];
}
