/** The forms of arranging: what to add, a widget's settings, the layout's own. */

import { COLUMNS } from './dashboard-grid.js';
import { CHARTS, WIDGETS, titleOf } from './dashboard-widgets.js';
import { field, openDialog, select } from './dialog.js';
import { el, setText } from './dom.js';
import { msg } from './words.js';

const WHAT = {
	cards: msg('State, signal and figures of each modem'),
	signal: msg('A tile in huge figures, for a wall'),
	chart: msg('Signal, throughput, latency, quality and others over time'),
	quality: msg('One number a modem, from signal, delay and loss'),
	sim: msg('Which card is where, and whether it works'),
	usage: msg('Today and this month, by SIM'),
	timelines: msg('When each modem was how, as bands'),
	cells: msg('Which cells served, and how long'),
	events: msg('What happened'),
	alerts: msg('What fires now'),
	notes: msg('Your own words'),
	clock: msg('The router\'s time')
};
const RANGES = ['1h', '6h', '24h', '7d', '30d'];
const SEVERITIES = [['', msg('all')], ['warning', msg('warnings and errors')], ['error', msg('errors only')]];

/** Ask which widget to add; `chosen(type)`. */
export function chooseWidget(around, t, chosen) {
	const dialog = openDialog(around, { title: t('Add a widget'), t }, el('div.remsim-choices', {}, Object.entries(WIDGETS).map(([type, { title }]) =>
		el('button', { type: 'button', click: () => { dialog.close(); chosen(type); } }, el('strong', {}, t(title)), el('span', {}, t(WHAT[type]))))));
}

const number = (value, min, max) => el('input', { type: 'number', min, max, value, inputmode: 'numeric' });

/** The inputs of a widget's settings: {name: {node, value()}}. */
function inputsOf(type, settings, modems, t) {
	const inputs = {}, add = (name, node, value) => { inputs[name] = { node, value }; };
	const title = el('input', { type: 'text', maxlength: 80, value: settings.title || '', placeholder: titleOf({ type, settings: { ...settings, title: '' } }, t) });
	add('title', field(t('Title'), title), () => title.value.trim());
	for (const name of WIDGETS[type].settings) {
		if (name === 'measure') {
			const input = select(Object.entries(CHARTS).map(([key, chart]) => [key, t(chart.title)]), settings.measure || 'rsrp');
			input.addEventListener('change', () => { title.placeholder = t(CHARTS[input.value].title); });
			add(name, field(t('What it shows'), input), () => input.value);
		} else if (name === 'range') {
			const input = select([['', t('as the page')], ...RANGES.map(range => [range, range])], settings.range || '');
			add(name, field(t('Period'), input), () => input.value);
		} else if (name === 'severity') {
			const input = select(SEVERITIES.map(([key, label]) => [key, t(label)]), settings.severity || '');
			add(name, field(t('Which ones'), input), () => input.value);
		} else if (name === 'count') {
			const input = number(settings.count || 30, 1, 100);
			add(name, field(t('Rows at first'), input), () => Math.min(100, Math.max(1, Math.round(Number(input.value) || 30))));
		} else if (name === 'text') {
			const input = el('textarea', { rows: 8, maxlength: 4000 }, settings.text || '');
			add(name, field(t('Text'), input), () => input.value);
		} else if (name === 'modems') {
			const chosen = settings.modems || [], known = [...modems.map(modem => [modem.id, modem.name]), ...chosen.filter(id => !modems.some(modem => modem.id === id)).map(id => [id, id])];
			const boxes = known.map(([id, label]) => [id, el('input', { type: 'checkbox', checked: chosen.includes(id) }), label]);
			add(name, el('fieldset.remsim-formset', {}, el('legend', {}, t('Modems (none ticked: all)')), boxes.map(([, box, label]) => field(label, box))),
				() => boxes.filter(([, box]) => box.checked).map(([id]) => id));
		} else {
			const input = el('input', { type: 'checkbox', checked: settings[name] === true });
			add(name, field(name === 'utc' ? t('In UTC') : t('With seconds'), input), () => input.checked);
		}
	}
	return inputs;
}

/** A widget's settings and its place; `done(widget)` with the new ones. */
export function editWidget(around, t, widget, modems, done) {
	const inputs = inputsOf(widget.type, widget.settings, modems, t), { least } = WIDGETS[widget.type];
	const x = number(widget.x + 1, 1, COLUMNS), y = number(widget.y + 1, 1, 1000), w = number(widget.w, least.w, COLUMNS), h = number(widget.h, least.h, 100);
	const whole = input => Math.round(Number(input.value));
	const form = el('form.remsim-formbox', {
		novalidate: true,
		submit: event => {
			event.preventDefault();
			const settings = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value()]).filter(([, value]) => value !== '' && !(Array.isArray(value) && !value.length)));
			const place = { x: whole(x) - 1 || 0, y: whole(y) - 1 || 0, w: whole(w) || least.w, h: whole(h) || least.h };
			dialog.close();
			done({ ...widget, ...place, settings });
		}
	}, Object.values(inputs).map(input => input.node),
	el('fieldset.remsim-formset.remsim-formplace', {}, el('legend', {}, t('Place and size')), field(t('Column'), x), field(t('Row'), y), field(t('Columns wide'), w), field(t('Rows high'), h)),
	el('div.remsim-dialogend', {}, el('button.remsim-primary', { type: 'submit' }, t('Apply')), el('button', { type: 'button', click: () => dialog.close() }, t('Cancel'))));
	const dialog = openDialog(around, { title: t('Settings: %s', titleOf(widget, t)), t }, form);
}

/** The layout's title and how a wall shows it; `done({title, wall})`. */
export function editLayout(around, t, layout, done) {
	const title = el('input', { type: 'text', maxlength: 80, value: layout.title });
	const rotate = number(layout.wall.rotate_s, 0, 3600), [from, to] = ['dim_from', 'dim_to'].map(name => el('input', { type: 'time', value: layout.wall[name] }));
	const error = el('p.remsim-problem', { role: 'alert' });
	const form = el('form.remsim-formbox', {
		novalidate: true,
		submit: event => {
			event.preventDefault();
			if (!from.value !== !to.value) {
				setText(error, t('A night has two ends: give both times, or none.'));
				return;
			}
			dialog.close();
			done({ title: title.value.trim(), wall: { rotate_s: Math.min(3600, Math.max(0, Math.round(Number(rotate.value)) || 0)), dim_from: from.value, dim_to: to.value } });
		}
	}, field(t('Title'), title),
	el('fieldset.remsim-formset', {}, el('legend', {}, t('On a wall')),
		field(t('Seconds a page'), rotate, t('0: it stays where it is')),
		field(t('Dim from'), from), field(t('Dim until'), to, t('By the clock that the wall shows: the router\'s time in the zone of the wall\'s browser.'))),
	error, el('div.remsim-dialogend', {}, el('button.remsim-primary', { type: 'submit' }, t('Apply')), el('button', { type: 'button', click: () => dialog.close() }, t('Cancel'))));
	const dialog = openDialog(around, { title: t('Layout'), t }, form);
}
