/** One thing that can be done to a modem: its form, asked for when it is opened, its run, and what came of it. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { FormView } from './form.js';
import { isRunning, jobOf, resultNodes } from './jobs.js';

const SKELETON_MS = 300;

export class ActionPanel {
	/**
	 * `ctx` of modems.js. `options`: isOpen, values (put into the form), danger, isBare (no fold), submitLabel, hint,
	 * result(result) -> nodes, sent(values, answer) after it was asked for, done(result) after it was done,
	 * keepsForm (the form is not asked for again after a run).
	 */
	constructor(action, ctx, options = {}) {
		Object.assign(this, { action, _ctx: ctx, _options: options });
		const t = ctx.t;
		this.body = el('div.remsim-action-body');
		this.result = el('div.remsim-result', { hidden: true, 'aria-live': 'polite' });
		this.preset = el('p.remsim-help', { hidden: true });
		const inner = [action.help ? el('p.remsim-help', {}, t(action.help)) : null, this.preset, this.body, this.result];
		if (options.isBare)
			this.root = el('div.remsim-action', { 'data-action': action.name }, inner);
		else {
			this.now = el('span.remsim-muted');
			this.root = el('details.remsim-action', { 'data-action': action.name, open: options.isOpen, toggle: () => { if (this.root.open) this.load(); } },
				el('summary', {}, el('span', {}, t(action.label)), this.now), el('div.remsim-inner', {}, inner));
		}
		this.update(action);
		const job = jobOf(ctx.store, ctx.id);
		if (job && job.kind === action.name)
			this.job = job;
		if (options.isBare || options.isOpen)
			this.load();
	}

	get _isOpen() {
		return this._options.isBare || this.root.open;
	}

	/** Take the action's object anew: why it cannot be done may have changed. */
	update(action) {
		const t = this._ctx.t, before = this.action.missing;
		this.action = action;
		if (this.now)
			setText(this.now, action.missing ? t('not now') : '');
		this.preset.hidden = !action.desired;
		setText(this.preset, action.desired ? t('Kept as a preset: applied again when the modem forgets it.') : '');
		if (before && !action.missing && this._isOpen)
			this.load(true);
		this.follow();
	}

	open(values) {
		this._options.values = values;
		if (!this._options.isBare)
			this.root.open = true;
		this.load(true);
	}

	/** Ask for the form; once, or again after something was changed. */
	async load(isAgain = false) {
		if (this._loading || (this.form && !isAgain))
			return;
		const { t, request, id, options } = this._ctx, { action } = this;
		if (action.missing) {
			this._showMissing();
			return;
		}
		this._waits = !!jobOf(this._ctx.store, id);
		if (this._waits) { // the answer would come after the job, and hold a connection till then
			if (!this.form)
				fill(this.body, el('p.remsim-absent', { role: 'status' }, t('The modem is busy; the form comes after that: %s', t(jobOf(this._ctx.store, id).title || ''))));
			return;
		}
		this._loading = true;
		const skeleton = setTimeout(() => { if (!this.form) fill(this.body, el('p.remsim-absent', { role: 'status' }, t('Asking the modem …'))); }, SKELETON_MS);
		try {
			if (isAgain && await this._isMissingNow()) // what was done may be why: a PIN that was entered is wanted no more
				return;
			const schema = await request(`modems/${encodeURIComponent(id)}/${action.name}/form`);
			const typed = this.form && this.form.isDirty && !this._options.values ? this.form.values : null;
			this.schema = schema;
			const { values } = this._options, put = typeof values === 'function' ? values(schema) : values;
			this.form = new FormView(schema, {
				t, isReadonly: options.readonly, danger: this._options.danger, values: put || (isAgain === 'keep' ? typed : null),
				submitLabel: this._options.submitLabel || (Object.keys(schema.properties || {}).length && !this._options.danger ? t('Apply') : t(action.label)),
				submit: values => this.run(values), changed: this._options.changed
			});
			this._options.values = null;
			fill(this.body, this.form.root);
			this._options.loaded?.(this.form);
		} catch (error) {
			this.form = null;
			fill(this.body, el('p.remsim-problem', {}, error.message, error.hint ? ` – ${error.hint}` : ''),
				el('button', { type: 'button', click: () => this.load(true) }, t('Try again')));
		} finally {
			clearTimeout(skeleton);
			this._loading = false;
			this.follow();
		}
	}

	_showMissing() {
		fill(this.body, el('p.remsim-absent', {}, this._ctx.t(this.action.missing)));
		this.form = null;
	}

	/** Ask whether it can still be done; nothing is asked of the modem. */
	async _isMissingNow() {
		const { request, id } = this._ctx;
		const { actions } = await request(`modems/${encodeURIComponent(id)}/actions`);
		const now = actions.find(one => one.name === this.action.name);
		if (!now?.missing)
			return false;
		this.update(now);
		this._showMissing();
		return true;
	}

	/** Ask where something is cut off, then have it done. */
	async run(values) {
		const { t, request, id, root, store, keeper } = this._ctx, { action } = this;
		const cuts = this.schema?.['x-cuts'] || action.cuts, name = store.modems.get(id)?.name || id;
		this.result.hidden = true;
		if (cuts) {
			const back = values.confirm_s ? t('It is undone by itself unless this page reaches the router within %s s.', values.confirm_s) : null;
			const yes = await ask(root, { title: `${t(action.label)}: ${name}`, texts: [t(cuts), back], yes: t(action.label), t, danger: !!this._options.danger });
			if (!yes)
				return;
		}
		this._sent = true;
		this.follow();
		try {
			const answer = await request(`modems/${encodeURIComponent(id)}/${action.name}`, { method: 'POST', body: values });
			this._options.sent?.(values, answer);
			if ('result' in answer && !answer.id)
				this._ended(answer.result);
			else {
				this.job = answer;
				keeper.own(answer);
				store.takeJob(answer);
			}
		} finally {
			this._sent = false;
			this.follow();
		}
	}

	/** Follow the job and whatever else keeps the modem busy. */
	follow() {
		const { store, id, t } = this._ctx;
		const job = this.job && store.jobs.get(this.job.id);
		if (this.job && job && job.started_at === this.job.started_at) {
			this.job = job;
			if (!isRunning(job)) {
				this.job = null;
				if (job.state === 'done')
					this._ended(job.result);
				else
					this._failed(job);
			}
		}
		if (this._waits && this._isOpen && !jobOf(store, id))
			this.load(true);
		const busy = this.job || jobOf(store, id), isBusy = this._sent || !!busy || !!store.modems.get(id)?.operation;
		if (this.form) {
			if (isBusy !== this._wasBusy)
				this.form.disable(isBusy);
			setText(this.form.beside, !isBusy || this._options.isQuiet ? '' : t('Now: %s', (busy && t(busy.step || busy.title || '')) || store.modems.get(id)?.operation || t('asking the modem')));
			this._wasBusy = isBusy;
		} else
			this._wasBusy = false;
	}

	_ended(result) {
		const { t } = this._ctx;
		this.result.hidden = false;
		const told = result && typeof result === 'object' && 'changed' in result ? t(result.changed ? 'Done, and read back from the modem.' : 'It was so already.') : t('Done.');
		fill(this.result, this._options.result ? this._options.result(result) : [el('p.remsim-good', {}, `✓ ${told}`), resultNodes(result && typeof result === 'object' && 'changed' in result ? null : result, t)]);
		this._options.done?.(result);
		if (this.form)
			this.form.error.hidden = true;
		if (!this._options.keepsForm)
			this.load(true);
	}

	_failed(job) {
		const told = { message: job.error || this._ctx.t('aborted'), hint: job.hint, field: job.field };
		if (this.form) {
			this.form.disable(false);
			this._wasBusy = false;
		}
		if (this.form && job.state !== 'aborted')
			this.form.refuse(told);
		else {
			this.result.hidden = false;
			fill(this.result, el(job.state === 'aborted' ? 'p' : 'p.remsim-problem', {}, told.message, told.hint ? ` – ${told.hint}` : ''));
		}
	}
}

/** Panels of several actions, kept in step with what the API offers. */
export class ActionPanels {
	/** `optionsOf(action)` as for a panel; `wants(action)`: whether it belongs here. */
	constructor(ctx, wants, optionsOf = () => ({})) {
		Object.assign(this, { _ctx: ctx, _wants: wants, _optionsOf: optionsOf });
		this.panels = new Map();
		this.root = el('div.remsim-actions');
		this.lacking = el('details.remsim-lacking', { hidden: true }, el('summary', {}, ctx.t('What this modem cannot have done now')), this.reasons = el('dl.remsim-reasons'));
	}

	/** Take the list of actions. */
	update(actions) {
		const wanted = actions.filter(this._wants), offered = wanted.filter(action => !action.missing || this.panels.has(action.name));
		for (const action of offered) {
			const panel = this.panels.get(action.name);
			if (panel)
				panel.update(action);
			else
				this.panels.set(action.name, new ActionPanel(action, this._ctx, this._optionsOf(action)));
		}
		offered.forEach(({ name }, at) => {
			const { root } = this.panels.get(name);
			if (this.root.children[at] !== root)
				this.root.insertBefore(root, this.root.children[at] || null);
		});
		const lacking = wanted.filter(action => action.missing && !this.panels.has(action.name));
		this.lacking.hidden = !lacking.length;
		const told = lacking.map(action => `${action.label}\n${action.missing}`).join('\n');
		if (told !== this._told)
			fill(this.reasons, lacking.map(action => el('div', {}, el('dt', {}, this._ctx.t(action.label)), el('dd', {}, this._ctx.t(action.missing)))));
		this._told = told;
	}

	follow() {
		this.panels.forEach(panel => panel.follow());
	}
}
