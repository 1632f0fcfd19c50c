/** The Outputs page: where measured values go besides, whether they are taken there, and how Prometheus fetches them. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { FormView } from './form.js';
import { epoch, bytes, moment } from './format.js';
import { Frame } from './frame.js';
import { jobEnd } from './jobs.js';
import { keptSecrets, shownValues } from './kept-secrets.js';
import { nameOf, sendable } from './rule-schema.js';
import { msg } from './words.js';

const TYPES = {
	remote_write: [msg('Prometheus remote-write'), msg('For a Prometheus, Mimir or VictoriaMetrics that cannot reach this router, behind a mobile carrier’s NAT.')],
	influx: [msg('InfluxDB'), msg('Line protocol over HTTP; Telegraf and VictoriaMetrics take it, too.')],
	homeassistant: [msg('Home Assistant'), msg('By MQTT: each modem becomes a device with its sensors by itself.')]
};
const LOOK_S = 10;

/** Mount the Outputs page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new OutputsPage(node, options);
	await page.start();
	return page;
}

class OutputsPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-outputspage');
		const { t, readonly } = this.options;
		this.outputs = [];
		this._outcomes = new Map();
		this.failed = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.none = el('p', { hidden: true }, t('Nothing is sent anywhere yet. Where Prometheus can reach this router it needs no output: see below.'));
		this.list = el('ul.remsim-plainlist');
		this.types = el('ul.remsim-plainlist', {}, Object.entries(TYPES).map(([type, [word, help]]) => el('li.remsim-entry', {}, el('strong', {}, t(word)), el('span.remsim-entry-more', {}, t(help)),
			el('a.remsim-button', { href: address({ type }), 'aria-label': t('Add: %s', t(word)) }, t('Add')))));
		this.overview = el('div.remsim-stack', { hidden: true },
			el('section.remsim-panel', { 'aria-label': t('Outputs') }, this.none, this.list),
			readonly ? null : el('section.remsim-panel', { 'aria-label': t('Add an output') }, el('h2', {}, t('Add an output')), this.types),
			el('section.remsim-panel', { 'aria-label': t('Prometheus') }, el('h2', {}, t('Prometheus fetches')),
				el('p', {}, t('A Prometheus that can reach this router asks for /metrics with a token of the scope “metrics”, which you make on the page Access. Its configuration, rules and Grafana dashboards come with remsim, in the folder monitoring.'))));
		this.place = el('div', { hidden: true });
		fill(this.body, this.failed, this.overview, this.place);
		this._hash = () => this._route();
		window.addEventListener('hashchange', this._hash);
		this._looked = 0;
	}

	destroy() {
		this._isOver = true;
		window.removeEventListener('hashchange', this._hash);
		super.destroy();
	}

	changed() {
		this._loaded ||= this._load();
	}

	tick() {
		if (this.isKnown && this.place.hidden && ++this._looked % LOOK_S === 0)
			this._ask().then(() => this._rows(), () => {});
	}

	async _load() {
		const { t } = this.options;
		try {
			await this._ask();
			this.isKnown = true;
			this.failed.hidden = true;
			this._rows();
			this._route();
		} catch (error) {
			this.failed.hidden = false;
			fill(this.failed, told(error), ' ', el('button', { type: 'button', click: () => { this._loaded = this._load(); } }, t('Try again')));
		}
	}

	async _ask() {
		this.outputs = (await this.options.request('outputs')).outputs;
	}

	_rows() {
		const { t, readonly } = this.options;
		this.none.hidden = this.outputs.length > 0;
		fill(this.list, this.outputs.map(output => {
			const outcome = this._outcomes.get(output.name), word = t(TYPES[output.type]?.[0] || output.type);
			return el(`li.remsim-entry${output.enabled ? '' : '.remsim-entry-off'}`, { 'data-output': output.name },
				readonly ? el('strong', {}, output.name) : el('a', { href: address({ output: output.name }) }, el('strong', {}, output.name)),
				el('span.remsim-mode', {}, word), el('span.remsim-muted', {}, output.url || output.host || ''),
				output.enabled ? null : el('span.remsim-muted', {}, t('off')),
				readonly ? null : el('button', { type: 'button', disabled: outcome?.isRunning, 'aria-label': t('Test %s', output.name), click: () => this._test(output) }, t('Test')),
				el('span.remsim-entry-more', {}, this._state(output)),
				el('span.remsim-entry-more', { role: 'status' }, outcome ? el(outcome.isGood ? 'span.remsim-good' : outcome.isRunning ? 'span.remsim-muted' : 'span.remsim-problem', {}, outcome.text) : null));
		}));
	}

	/** What was taken last, what waits and what is in the way, in words. */
	_state({ state }) {
		const { t } = this.options;
		if (!state)
			return [];
		const when = at => moment(epoch(at), this.store.now(), false);
		return [
			state.last_success ? t('last taken %s', when(state.last_success)) : t('nothing was taken yet'),
			state.waiting > 1 ? [' · ', el('strong', {}, t('%s moments wait since %s (%s)', state.waiting, when(state.oldest_waiting), bytes(state.waiting_bytes)))] : null,
			state.dropped && state.waiting > 1 ? [' · ', t('%s were given up', state.dropped)] : null,
			state.problem ? [' · ', el('span.remsim-problem', {}, `✖ ${state.problem}`)] : null
		];
	}

	async _test(output) {
		const { t, request } = this.options;
		const tell = outcome => { this._outcomes.set(output.name, outcome); this._rows(); };
		tell({ isRunning: true, text: t('Sending this moment’s values …') });
		try {
			const job = await jobEnd(await request(`outputs/${encodeURIComponent(output.name)}/test`, { method: 'POST', body: {} }), this.store, request, () => this._isOver);
			if (job.state !== 'done')
				throw Object.assign(new Error(job.error || t('The test did not end.')), { hint: job.hint });
			tell({ isGood: true, text: t('✓ %s values were taken.', job.result?.samples ?? '') });
		} catch (error) {
			tell({ text: `✖ ${told(error)}` });
		}
		[...this.list.children].find(row => row.dataset.output === output.name)?.querySelector('button')?.focus({ preventScroll: true });
	}

	/** Show what the address says: the list, an output, or a new one. */
	async _route() {
		if (!this.isKnown)
			return;
		const asked = new URLSearchParams(location.hash.slice(1)), { t, request, readonly } = this.options;
		const output = this.outputs.find(one => one.name === asked.get('output')) || null, type = output?.type || asked.get('type');
		const isList = !(output || TYPES[type]) || readonly;
		this.overview.hidden = !isList;
		this.place.hidden = isList;
		fill(this.place);
		if (isList)
			return;
		const at = location.hash;
		try {
			const schema = await request('outputs/form', { query: { type } });
			if (location.hash === at)
				this._edit(output, type, schema);
		} catch (error) {
			fill(this.place, el('p.remsim-problem', {}, told(error)), el('button', { type: 'button', click: () => this._route() }, t('Try again')));
		}
	}

	_edit(output, type, schema) {
		const { t } = this.options;
		const defaults = Object.fromEntries(Object.entries(schema.properties).filter(([, one]) => one.default !== undefined).map(([name, one]) => [name, one.default]));
		const shown = keptSecrets(schema, output);
		delete shown.properties.type;
		const form = new FormView(shown, {
			t, submitLabel: output ? t('Save') : t('Add this output'), submit: values => this._save(output, type, values),
			values: output ? shownValues(output) : defaults
		});
		const heading = el('h2', { tabindex: '-1' }, output ? output.name : t('New output: %s', t(TYPES[type][0])));
		fill(this.place, el('section.remsim-editor', { 'aria-label': t('Output') }, el('header.remsim-tools', {}, el('a', { href: address({}) }, t('‹ All outputs')), heading),
			el('div.remsim-panel', {}, form.root,
				output ? el('p.remsim-editor-remove', {}, el('button.remsim-danger', { type: 'button', click: () => this._remove(output, form) }, t('Delete this output'))) : null)));
		heading.focus({ preventScroll: true });
	}

	async _save(output, type, values) {
		const { t, request } = this.options;
		const name = output ? output.name : nameOf(type, this.outputs.map(one => one.name));
		const body = sendable({ ...values, type, name });
		if (output)
			await request(`outputs/${encodeURIComponent(name)}`, { method: 'PUT', body });
		else
			await request('outputs', { method: 'POST', body });
		await this._written(output ? t('%s is saved.', name) : t('%s is added. Send a test.', name), name);
	}

	async _remove(output, form) {
		const { t, request } = this.options;
		if (!await ask(this.root, { title: t('Delete the output %s?', output.name), texts: [t('What waits in its queue is not sent any more.')], yes: t('Delete %s', output.name), t }))
			return;
		try {
			await request(`outputs/${encodeURIComponent(output.name)}`, { method: 'DELETE' });
			await this._written(t('%s is deleted.', output.name), output.name);
		} catch (error) {
			form.refuse(error);
		}
	}

	async _written(text, name) {
		this._outcomes.delete(name);
		setText(this.told, `✓ ${text}`);
		await this._ask();
		this._rows();
		location.hash = address({});
	}
}

function told(error) {
	return error.hint ? `${error.message} – ${error.hint}` : error.message;
}

/** The address of the list, or of what is open. */
function address(more) {
	return `#${new URLSearchParams(more)}`;
}
