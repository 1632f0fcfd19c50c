/** The charts that History can show: their lines, their usual range, and what their values mean. */

import { bitRate, bytes, number } from './format.js';
import { msg } from './words.js';

/**
 * A line is [measure, suffix of its name, whether it is dashed]. `bars` names the source of a chart of counted things, whose
 * `kinds` are [kind, suffix of its name]; `unusual`: the measure in which unusual stretches are looked for; `strips`: cells
 * and bands are shown in it; `help`: what its values mean, with the limits of excellent, good and fair put in.
 */
export const CHARTS = [
	{
		id: 'quality', title: msg('Connection quality'), unit: '%', min: 0, max: 100, digits: 0, strips: true, unusual: 'quality_percent', lines: [['quality_percent', '']],
		help: [msg('One number for how good the connection is: from 75 on it is excellent, 50 good, 25 fair.'),
			msg('Each known value scores 0, 25, 50, 75 or 100, with straight lines between: RSRP at −120, −100, −90, −80, −70 dBm; RSRQ at −25, −20, −15, −10, −5 dB; SINR at −10, 0, 13, 20, 30 dB; latency at 500, 200, 100, 50, 20 ms; loss at 50, 10, 3, 1, 0 %.'),
			msg('The scores count 25 (RSRP), 15 (RSRQ), 30 (SINR), 15 (latency) and 15 (loss) parts, over those that are known; their mean is multiplied by the share of probes that came back.')]
	},
	{
		id: 'rsrp', title: msg('RSRP'), unit: 'dBm', min: -125, max: -70, bands: true, strips: true, unusual: 'rsrp_dbm', lines: [['rsrp_dbm', ''], ['nr_rsrp_dbm', '5G', true]],
		help: [msg('How strongly the cell’s reference signal arrives. From %s dBm on it is excellent, %s good, %s fair; below that the antenna or its place is worth a look.')]
	},
	{
		id: 'rsrq', title: msg('RSRQ'), unit: 'dB', min: -20, max: -3, digits: 1, bands: true, strips: true, unusual: 'rsrq_db', lines: [['rsrq_db', ''], ['nr_rsrq_db', '5G', true]],
		help: [msg('How much of all that is received is the wanted signal. From %s dB on it is excellent, %s good, %s fair. It falls when the cell is busy.')]
	},
	{
		id: 'sinr', title: msg('SINR'), unit: 'dB', min: -5, max: 30, digits: 1, bands: true, strips: true, unusual: 'sinr_db', lines: [['sinr_db', ''], ['nr_sinr_db', '5G', true]],
		help: [msg('How far the signal stands above noise and other cells. From %s dB on it is excellent, %s good, %s fair. It limits the speed more than RSRP does.')]
	},
	{
		id: 'rssi', title: msg('RSSI'), unit: 'dBm', min: -100, max: -50, bands: true, strips: true, unusual: 'rssi_dbm', lines: [['rssi_dbm', '']],
		help: [msg('All that is received on the channel, other cells and noise too. Use RSRP to judge the signal; RSSI is for 2G and 3G.')]
	},
	{
		id: 'rate', title: msg('Throughput'), unit: '', min: 0, max: 1e6, format: bitRate, axis: bitRate, axisWidth: 72, lines: [['rx_bits_per_s', '↓'], ['tx_bits_per_s', '↑', true]],
		help: [msg('What went through the modem’s interface, not what could have gone through.')]
	},
	{
		id: 'latency', title: msg('Latency and jitter'), unit: 'ms', min: 0, max: 100, digits: 0, logarithmic: true, unusual: 'latency_ms', lines: [['latency_ms', ''], ['jitter_ms', msg('jitter'), true]],
		help: [msg('The way of a probe there and back, and how much it varies. Below 50 ms calls and games are pleasant, above 200 ms pages feel slow.')]
	},
	{
		id: 'loss', title: msg('Loss'), unit: '%', min: 0, max: 5, digits: 1, lines: [['loss_percent', '']],
		help: [msg('Probes that did not come back. 0 % is normal; from 3 % on calls suffer, 100 % is an outage.')]
	},
	{
		id: 'temperature', title: msg('Temperature'), unit: '°C', min: 20, max: 70, digits: 0, unusual: 'temperature_c', lines: [['temperature_c', '']],
		help: [msg('What the modem’s warmest sensor says. Most modems slow down from 80 to 90 °C on.')]
	},
	{
		id: 'usage', title: msg('Data used'), unit: '', bars: 'usage', format: bytes, axis: bytes, axisWidth: 72,
		help: [msg('Bytes received and sent by each interface, counted by the router a day of UTC; the operator may count differently. In periods up to two days each hour has a bar, worked out from the throughput.')]
	},
	{
		id: 'lost', title: msg('Lost connections'), unit: '', bars: 'counts', max: 4, digits: 0, axis: whole, kinds: [['disconnect', '']],
		help: [msg('How often a modem lost its service. The marks ✕ under the charts stand where it was.')]
	},
	{
		id: 'failovers', title: msg('Failovers'), unit: '', bars: 'counts', max: 4, digits: 0, axis: whole, kinds: [['failover', '']],
		help: [msg('How often traffic moved to another modem.')]
	},
	{
		id: 'authentication', title: msg('Registration accepted and refused'), unit: '', bars: 'counts', max: 4, digits: 0, axis: whole,
		kinds: [['authentication_success', msg('accepted')], ['authentication_failure', msg('refused')]],
		help: [msg('How often the network let a modem in, and how often it refused it. Refusals come from the SIM, its contract, or a roaming ban.')]
	}
];

/** How one gets about in them. */
export const HELP = [
	msg('Drag over a chart, or put two fingers on it, to zoom in; “Whole range” leads back.'),
	msg('Press a time: what changed there, a note, nearer. Press a mark under a chart to open its event.'),
	msg('With the keyboard: + and − zoom, ← and → move, with Shift they move the cursor, Enter presses it, Home shows the whole range.'),
	msg('Marks: ● cell, ▲ technology, ■ SIM, ✕ connection lost, ✓ back, ↻ restart, ◆ failover, ⚑ alert, ! error. ◇ stands on unusual values.'),
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
