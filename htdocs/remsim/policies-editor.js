/** The text of the policies: written, checked while it is typed, asked about, put in force for a trial. */

import { ask } from './ask.js';
import { openDialog } from './dialog.js';
import { el, fill, setText } from './dom.js';
import { CodeField } from './policies-code.js';
import { ExplainBox } from './policies-explain.js';
import { withPreset } from './policies-lexer.js';
import { ProblemList } from './policies-problems.js';
import { percentText, problemText } from './policies-words.js';
import { errorText } from './remote-data.js';

const CHECK_MS = 350;
const CONFIRM_S = 90;

export class EditorTab {
	constructor(ctx) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, _base: null, isDirty: false });
		this.code = new CodeField({ t, label: t('Text of the policies'), words: () => ctx.words, changed: () => this._changed(), isReadonly: options.readonly });
		this.verdict = el('p.remsim-verdict', { role: 'status' });
		this.problems = new ProblemList(t, t('Errors and warnings'), one => el('button.remsim-flowpick', { type: 'button', click: () => this.code.goTo(one.line, one.column) }, problemText(one, t)));
		this.meanwhile = el('p.remsim-note', { hidden: true });
		this.apply = el('button.remsim-primary', { type: 'button', click: () => this._apply() }, t('Put in force'));
		this.discard = el('button', { type: 'button', hidden: true, click: () => this._discard() }, t('Discard changes'));
		this.presets = el('div.remsim-presets');
		this.fold = el('details.remsim-panel', { toggle: () => { if (this.fold.open) this._presets(); } }, el('summary', {}, el('strong', {}, t('Examples to copy'))), this.presets);
		this.explain = new ExplainBox(ctx, { text: () => this.isDirty ? this.code.value : null, open: step => this.code.goTo(step.line) });
		this.tools = options.readonly ? null : el('div.remsim-submit', {}, this.apply, this.discard,
			el('button', { type: 'button', click: () => this._dialog('dry') }, t('Try on past flows')), el('button', { type: 'button', click: () => this._dialog('nft') }, t('Show the kernel’s rules')));
		this.root = el('div.remsim-policysplit', {}, el('div.remsim-stack', {}, el('section.remsim-panel', { 'aria-label': t('Text of the policies') }, this.meanwhile, this.code.root, this.verdict, this.problems.root, this.tools), options.readonly ? null : this.fold), this.explain.root);
	}

	destroy() {
		clearTimeout(this._timer);
	}

	show(asked) {
		const line = Number(asked.get('line'));
		if (asked.get('presets')) {
			this.fold.open = true;
			this.fold.scrollIntoView?.({ block: 'nearest' });
		}
		if (line && this._base !== null)
			this.code.goTo(line);
		else
			this._line = line;
	}

	update() {
		const { data, options, t } = this._ctx, { view } = data;
		this.code.area.readOnly = !!options.readonly || data.isPushed;
		if (this._base !== view.text) {
			if (!this.isDirty || this.code.value === view.text)
				this._take(view.text);
			else {
				this.meanwhile.hidden = false;
				fill(this.meanwhile, t('The policies in force have changed while you were writing.'), ' ', el('button', { type: 'button', click: () => this._take(view.text) }, t('Take them, and lose what you wrote')));
			}
		}
		if (this._line) {
			this.code.goTo(this._line);
			this._line = null;
		}
		this._buttons();
	}

	_take(text) {
		this._base = text;
		this.meanwhile.hidden = true;
		this.code.value = text;
		this.isDirty = false;
		this._told = null;
		this._check();
		this._buttons();
	}

	_changed() {
		this.isDirty = this.code.value !== this._base;
		this._checked = null;
		this._buttons();
		clearTimeout(this._timer);
		this._timer = setTimeout(() => this._check(), CHECK_MS);
	}

	_buttons() {
		const { data } = this._ctx;
		this.apply.disabled = !this.isDirty || !this._checked?.ok || data.isPushed;
		this.discard.hidden = !this.isDirty;
	}

	async _check() {
		const { t, request } = this._ctx, text = this.code.value, question = this._asked = {};
		if (!text.trim()) {
			this._show({ ok: true, errors: [], warnings: [] }, t('No policy: all traffic is shared by the links.'));
			return;
		}
		try {
			const found = await request('policies/check', { method: 'POST', body: { text } });
			if (question !== this._asked)
				return;
			this._show(found);
			this.explain.again();
		} catch (error) {
			if (question === this._asked) {
				setText(this.verdict, errorText(error));
				this.verdict.className = 'remsim-verdict remsim-problem';
			}
		}
	}

	_show(found, told = null) {
		const { t } = this._ctx, { ok, errors = [], warnings = [], policies } = found, all = [...errors.map(one => ({ ...one, isError: true })), ...warnings];
		this._checked = found;
		this.code.setProblems(all);
		this.verdict.className = `remsim-verdict ${ok ? 'remsim-good' : 'remsim-problem'}`;
		const counted = warnings.length === 1 ? t('1 warning') : warnings.length ? t('%s warnings', warnings.length) : '';
		setText(this.verdict, told || (ok ? `✓ ${[policies?.length === 1 ? t('1 policy, no error') : t('%s policies, no error', policies?.length ?? 0), counted].filter(Boolean).join(', ')}` : `✖ ${errors.length === 1 ? t('1 error: it cannot be put in force') : t('%s errors: it cannot be put in force', errors.length)}`));
		this.problems.show(errors, warnings);
		this._buttons();
	}

	async _apply() {
		const { t, data, said, failed } = this._ctx;
		this.apply.disabled = true;
		try {
			await data.apply(this.code.value, CONFIRM_S);
			this._base = this.code.value;
			this.isDirty = false;
			await data.load();
			said(t('The new policies are in force.'));
			window.scrollTo({ top: 0 });
		} catch (error) {
			failed(error);
			this._check();
		}
		this._buttons();
	}

	async _discard() {
		const { t, root, data } = this._ctx;
		if (await ask(root, { title: t('Discard your changes?'), texts: [t('The text becomes what is in force.')], yes: t('Discard'), t }))
			this._take(data.view.text);
	}

	async _presets() {
		const { t, request } = this._ctx;
		if (this._presetsAsked)
			return;
		this._presetsAsked = true;
		try {
			const { presets } = await request('policies/presets');
			fill(this.presets, presets.map(one => el('details.remsim-preset', {}, el('summary', {}, el('span', {}, el('strong', {}, t(one.title || one.name)), one.help ? el('span.remsim-muted', {}, ` ${t(one.help)}`) : null)),
				el('pre', {}, one.text), el('button', { type: 'button', 'aria-label': t('Copy in: %s', t(one.title || one.name)), click: () => this._copy(one) }, t('Copy in')))));
		} catch (error) {
			this._presetsAsked = false;
			fill(this.presets, el('p.remsim-problem', {}, errorText(error)));
		}
	}

	_copy({ text }) {
		const made = withPreset(this.code.value, text);
		this.code.insert(made.text, 0, this.code.value.length, 0);
		this.code.goTo(made.line + 1);
	}

	/** What the text would have taken of past flows, or the rules it becomes. */
	async _dialog(kind) {
		const { t, root, request } = this._ctx, place = el('div', {}, el('p.remsim-muted', {}, t('loading …'))), isDry = kind === 'dry';
		openDialog(root, { title: isDry ? t('What it would have taken') : t('The kernel’s rules'), t }, place);
		try {
			const found = isDry ? await request('policies', { method: 'PUT', body: { text: this.code.value, dry_run: true } }) : await request('policies/compile', { method: 'POST', body: { text: this.code.value } });
			fill(place, isDry ? this._dry(found) : el('pre.remsim-nft', { tabindex: '0' }, found.nft));
		} catch (error) {
			fill(place, el('p.remsim-problem', {}, errorText(error)));
		}
	}

	_dry({ ok, errors = [], policies = [], flows = 0, note = null, unmatched_percent: left = null }) {
		const { t } = this._ctx;
		if (ok === false)
			return el('p.remsim-problem', {}, errors.length ? problemText(errors[0], t) : t('The text has errors.'));
		if (!flows)
			return el('p', {}, t('No past flow is kept here yet, so nothing can be said. While policies are in force, a sample of the flows of each day is kept.'));
		const unsure = policies.some(one => one.unknown_percent > 0);
		return [
			el('p', {}, t('Of %s flows that were kept:', flows)),
			el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('What it would have taken') }, el('table.remsim-table', {}, el('thead', {}, el('tr', {}, [t('Policy'), t('Taken'), unsure ? t('Cannot be told') : null].filter(Boolean).map(text => el('th', { scope: 'col' }, text)))),
				el('tbody', {}, policies.map(one => el('tr', {}, el('th', { scope: 'row' }, one.name), el('td', {}, percentText(one.would_match_percent)), unsure ? el('td', {}, percentText(one.unknown_percent)) : null)),
					el('tr', {}, el('th', { scope: 'row' }, t('no policy')), el('td', {}, percentText(left)), unsure ? el('td') : null)))),
			note ? el('p.remsim-help', {}, note) : null
		];
	}
}
