/** AT console: a line, its answer as the modem gave it, and what it means. */

import { el, fill, setText } from './dom.js';
import { bareMessage } from './form-rules.js';
import { FormView } from './form.js';
import { clock } from './format.js';
import { resultNodes } from './jobs.js';

const HISTORY = 100;

export class ConsoleTab {
	constructor(ctx) {
		const t = ctx.t;
		this._ctx = ctx;
		this._lines = [];
		this._place = 0;
		this.note = el('p.remsim-help', {}, t('Every command is written into the log. What could destroy the modem or change its identity is refused.'));
		this.missing = el('p.remsim-absent', { hidden: true });
		this.form = el('div');
		this.script = el('div.remsim-script', { 'aria-label': t('What was asked and answered'), role: 'log' });
		this.clear = el('button', { type: 'button', hidden: true, click: () => { fill(this.script); this.clear.hidden = true; } }, t('Clear'));
		this.root = el('div.remsim-stack', {}, el('section.remsim-panel', {}, el('header', {}, el('h3', {}, t('AT console')), this.clear), this.note, this.missing, this.form, this.script));
	}

	async offered(actions) {
		const t = this._ctx.t, action = actions.find(one => one.name === 'at');
		const why = !action ? t('This version has no console.') : this._ctx.options.readonly ? t('The console needs the right to change settings.') : action.missing && t(action.missing);
		this.missing.hidden = !why;
		setText(this.missing, why || '');
		this.form.hidden = !!why;
		if (why || this.view || this._asking)
			return;
		this._asking = true;
		try {
			const schema = await this._ctx.request(`modems/${encodeURIComponent(this._ctx.id)}/at/form`);
			this.view = new FormView(schema, { t, submitLabel: t('Send'), submit: values => this._send(values) });
			this.line = this.view.fields.find(field => field.property.type === 'string');
			this.line.inputs[0].addEventListener('keydown', key => this._recall(key));
			this.line.root.classList.add('remsim-mono');
			fill(this.form, this.view.root);
		} catch (error) {
			this.missing.hidden = false;
			setText(this.missing, error.message);
		}
		this._asking = false;
	}

	shown() {
		this.line?.inputs[0].focus();
	}

	/** The arrow keys bring back what was asked before. */
	_recall(key) {
		const step = { ArrowUp: -1, ArrowDown: 1 }[key.key];
		if (!step || !this._lines.length)
			return;
		key.preventDefault();
		this._place = Math.max(0, Math.min(this._lines.length, this._place + step));
		this.line.value = this._lines[this._place] || '';
		const input = this.line.inputs[0];
		input.setSelectionRange(input.value.length, input.value.length);
	}

	async _send(values) {
		const { t, request, id, store, keeper } = this._ctx, asked = String(values[this.line.name]);
		this._lines = [...this._lines.filter(line => line !== asked), asked].slice(-HISTORY);
		this._place = this._lines.length;
		const answer = el('div.remsim-script-answer', {}, el('span.remsim-muted', {}, '…'));
		this.script.appendChild(el('div.remsim-script-entry', {}, el('p', {}, el('span.remsim-muted', {}, clock(store.now(), true)), ' ', el('b', {}, asked)), answer));
		this.clear.hidden = false;
		this.view.disable(true);
		try {
			let found = await request(`modems/${encodeURIComponent(id)}/at`, { method: 'POST', body: values });
			if (found.id) { // a long command is a job
				keeper.own(found);
				store.takeJob(found);
				found = { result: await this._end(found) };
			}
			fill(answer, this._answer(found.result));
			this.line.value = '';
		} catch (error) {
			const why = error.status === 403 ? t('The console needs its own right (scope at-console); your login does not have it.') : error.field === this.line.name ? `${t(this.line.label)} ${bareMessage(error.message, error.field)}` : error.message;
			fill(answer, el('p.remsim-problem', {}, `✕ ${why}`, error.hint ? ` – ${error.hint}` : ''));
		}
		this.view.disable(false);
		answer.scrollIntoView({ block: 'nearest' });
		this.line.inputs[0].focus({ preventScroll: true });
	}

	/** Wait for a job's end. */
	_end(job) {
		const { store, t } = this._ctx;
		return new Promise((resolve, reject) => {
			const look = known => {
				if (known.id !== job.id || !['done', 'failed', 'aborted'].includes(known.state))
					return;
				stop.forEach(one => one());
				if (known.state === 'done')
					resolve(known.result);
				else
					reject(Object.assign(new Error(known.error || t('aborted')), { hint: known.hint }));
			};
			const stop = [store.on('job', look), store.on('state', () => store.jobs.has(job.id) && look(store.jobs.get(job.id)))];
		});
	}

	_answer(result) {
		const t = this._ctx.t, { reply } = result, values = Object.fromEntries(Object.entries(result.values).filter(([name]) => name !== 'ok'));
		const decoded = Object.keys(values).length ? el('details.remsim-decoded', { open: true }, el('summary', {}, t('What it means')), resultNodes(values, t)) : null;
		return [el('pre', {}, reply.trim()), decoded];
	}
}
