/** Many profiles on many cards: a list is looked at first, then done row by row; what was cut goes on, no code is used twice. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { endOf, sentence } from './esim-words.js';
import { FormView } from './form.js';
import { epoch, moment } from './format.js';
import { isRunning } from './jobs.js';
import { msg } from './words.js';

const LARGEST = 90000;
const AGAIN_MS = 5000;
const STATES = { waiting: msg('waits'), ordering: msg('is ordered'), loading: msg('is downloaded'), done: msg('done'), failed: msg('failed'), unknown: msg('not known: look at the card'), dropped: msg('given up') };
const BATCH_STATES = { running: msg('runs'), interrupted: msg('was interrupted'), stopped: msg('was stopped'), done: msg('is done') };
const DECISIONS = [['again', msg('Again')], ['done', msg('It is done')], ['drop', msg('Stop trying')]];

export class BulkTab {
	/** `ctx` of esim.js. */
	constructor(ctx) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, _askedAt: 0, _open: null });
		this.columns = el('code.remsim-esim-columns');
		this.file = el('input', { type: 'file', accept: '.csv,text/csv', id: 'remsim-esim-csv', change: () => this._take() });
		this.form = new FormView({ properties: {
			csv: { type: 'string', maxLength: LARGEST, title: msg('The list'), description: msg('As CSV with a line of names first: from a file, or pasted here.') },
			name: { type: 'string', maxLength: 64, title: msg('What to call it') },
			per_minute: { type: 'integer', minimum: 1, maximum: 60, default: 4, 'x-unit': msg('a minute'), title: msg('At most') },
			min_free_kb: { type: 'integer', minimum: 0, maximum: 100000, default: 60, 'x-unit': 'kB', title: msg('Leave cards out that have less free'), 'x-advanced': true }
		}, required: ['csv'] }, { t, isReadonly: options.readonly, submitLabel: t('Look at it'), submit: values => this._check(values) });
		this.checked = el('div', { role: 'status' });
		this.batches = el('ul.remsim-plainlist.remsim-esim-codes', { 'aria-label': t('Lists') });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.rows = el('div');
		this.inventory = el('div');
		this.root = el('div.remsim-stack', {},
			options.readonly ? null : el('section.remsim-panel', { 'aria-label': t('A new list') }, el('header', {}, el('h2', {}, t('Many profiles at once'))), el('p.remsim-help', {}, t('One profile a line. Nothing is done before you have seen what would be done.'), ' ', this.columns),
				el('div.remsim-stack', {}, el('div.remsim-field', {}, el('label', { for: this.file.id }, t('CSV file')), this.file), this.form.root, this.checked)),
			el('section.remsim-panel', { 'aria-label': t('Lists') }, el('header', {}, el('h2', {}, t('Lists'))), this.error, this.batches, this.rows),
			el('details.remsim-panel', { toggle: event => { if (event.target.open) this._inventory(); } }, el('summary', {}, el('h2', {}, t('All profiles that were ever seen'))), this.inventory));
	}

	show() {
		this.load();
	}

	tick() {
		const isRunningNow = (this.view?.batches || []).some(one => one.state === 'running');
		if (this._askedAt && Date.now() - this._askedAt > (isRunningNow ? AGAIN_MS : 6 * AGAIN_MS))
			this.load();
	}

	worked(job) {
		if (job.kind === 'esim-bulk' && !isRunning(job))
			this.load();
	}

	async load() {
		const { request } = this._ctx;
		this._askedAt = Date.now();
		try {
			this.view = await request('esim/bulk');
			this.error.hidden = true;
			this._show();
			if (this._open)
				await this._showRows(this._open);
		} catch (error) {
			this._refuse(error);
		}
	}

	async _take() {
		const { t } = this._ctx, [file] = this.file.files;
		fill(this.checked);
		if (!file)
			return;
		if (file.size > LARGEST)
			fill(this.checked, el('p.remsim-problem', {}, t('The file is larger than 90 kB: split it.')));
		else
			this.form.put({ csv: await file.text(), name: file.name.replace(/\.[^.]*$/, '').slice(0, 64) });
	}

	/** What would be done. */
	async _check(values) {
		const { t, request } = this._ctx, answer = await request('esim/bulk', { method: 'POST', body: { ...values, check: true } });
		const go = el('button.remsim-primary', { type: 'button', disabled: answer.problems > 0 || !answer.ready, click: () => this._begin(values, go) }, t('Begin: %s profiles', answer.ready));
		fill(this.checked, el('p', {}, answer.problems ? el('strong.remsim-problem', {}, t('%s of the lines cannot be done: nothing begins until they are right.', answer.problems)) : el('strong.remsim-good', {}, `✓ ${t('All %s lines can be done.', answer.ready)}`)),
			table(t('What would be done'), [t('Line'), t('Card'), t('Code'), t('Name'), t('Switch to it'), ''], answer.rows.map(row => [row.row, row.holder ? this._nameOf(row.holder) : row.target, row.code ? endOf(row.code) : row.order || '', row.nickname || '', row.enable ? t('yes') : '', told(row)])),
			el('div.remsim-submit', {}, go));
	}

	async _begin(values, button) {
		const { t, request, keeper, store, said } = this._ctx;
		button.disabled = true;
		try {
			const job = await request('esim/bulk', { method: 'POST', body: { ...values, check: false } });
			keeper.own(job);
			store.takeJob(job);
			this._open = job.result?.batch || null;
			fill(this.checked);
			this.form.reset();
			this.file.value = '';
			said(t('The list has begun.'));
			await this.load();
		} catch (error) {
			button.disabled = false;
			this.form.refuse(error);
		}
	}

	_nameOf(holder) {
		return this._ctx.data.holder(holder)?.name || holder;
	}

	_show() {
		const { t, options, store } = this._ctx, { batches, columns } = this.view, told_ = JSON.stringify([batches, this._open]);
		setText(this.columns, (columns || []).map(one => one.name || one).join(','));
		if (told_ === this._told)
			return;
		this._told = told_;
		fill(this.batches, batches.length ? batches.map(batch => {
			const { waiting = 0, done = 0, failed = 0, unknown = 0 } = batch.counts || {}, all = waiting + done + failed + unknown, csv = options.apiUrl(`esim/bulk/${batch.id}/result.csv`), called = batch.name || batch.id;
			return el('li.remsim-esim-code', { 'data-batch': batch.id }, el('div.remsim-esim-what', {}, el('header', {}, el('h3', {}, called), el(`span.${failed || unknown ? 'remsim-problem' : batch.state === 'done' ? 'remsim-good' : 'remsim-muted'}`, {}, t(BATCH_STATES[batch.state] || batch.state))),
				el('p.remsim-muted', {}, [t('%s of %s done', done, all), failed && t('%s failed', failed), unknown && t('%s not known', unknown), moment(epoch(batch.made_at), store.now(), false), batch.by].filter(Boolean).join(' · ')),
				batch.state === 'running' ? el('progress.remsim-esim-bar', { max: all || 1, value: all - waiting, 'aria-label': t('Progress of %s', called) }) : null),
			el('div.remsim-esim-do', {}, el('button', { type: 'button', 'aria-expanded': String(this._open === batch.id), 'aria-label': t('Lines of %s', called), click: () => this._toggle(batch.id) }, t('Lines')),
				csv ? el('a.remsim-button', { href: csv, download: '', 'aria-label': t('Result of %s as CSV', called) }, t('Result as CSV')) : null,
				options.readonly ? null : batch.state === 'running' ? (batch.job ? el('button', { type: 'button', click: () => this._do(`jobs/${batch.job}/abort`, { method: 'POST' }) }, t('Stop it')) : null)
					: [waiting || failed ? el('button.remsim-primary', { type: 'button', 'aria-label': t('Go on with %s', called), click: () => this._do(`esim/bulk/${batch.id}/resume`, { method: 'POST', body: {} }) }, t('Go on')) : null, el('button.remsim-danger', { type: 'button', 'aria-label': t('Remove %s', called), click: () => this._remove(batch) }, t('Remove'))]));
		}) : el('li.remsim-absent', {}, t('No list was begun.')));
	}

	_toggle(id) {
		this._open = this._open === id ? null : id;
		this._told = null;
		fill(this.rows);
		this._show();
		if (this._open)
			this._showRows(id);
	}

	async _showRows(id) {
		const { t, request, options } = this._ctx, batch = await request(`esim/bulk/${encodeURIComponent(id)}`).catch(() => null);
		if (this._open !== id || !batch)
			return;
		const told_ = JSON.stringify(batch.rows);
		if (told_ === this._rowsTold && this.rows.firstChild)
			return;
		this._rowsTold = told_;
		const decide = row => options.readonly || batch.state === 'running' || !['unknown', 'failed'].includes(row.state) ? '' : el('span.remsim-tools', {}, DECISIONS.map(([decision, word]) => el('button.remsim-small', { type: 'button', 'aria-label': t('Line %s: %s', row.row, t(word)), click: () => this._do(`esim/bulk/${id}/rows/${row.row}`, { method: 'POST', body: { decision } }) }, t(word))));
		fill(this.rows, table(t('Lines'), [t('Line'), t('Card'), t('Profile'), t('State'), '', ''], batch.rows.map(row => [row.row, row.holder ? this._nameOf(row.holder) : row.target, [row.nickname || row.name || '', endOf(row.iccid)].filter(Boolean).join(' '), t(STATES[row.state] || row.state), told(row), decide(row)])));
	}

	async _remove(batch) {
		const { t, root } = this._ctx;
		if (await ask(root, { title: t('Remove this list?'), texts: [t('What was downloaded stays on the cards; what came of each line is forgotten.')], yes: t('Remove'), t }))
			await this._do(`esim/bulk/${batch.id}`, { method: 'DELETE' });
	}

	async _do(path, how) {
		const { request, store, keeper } = this._ctx;
		try {
			const answer = await request(path, how);
			if (answer?.kind === 'esim-bulk') {
				keeper.own(answer);
				store.takeJob(answer);
			}
			await this.load();
		} catch (error) {
			this._refuse(error);
		}
	}

	async _inventory() {
		const { t, request, options, store } = this._ctx;
		try {
			const { profiles } = await request('esim/inventory'), csv = options.apiUrl('esim/inventory.csv'), words = { enabled: t('In use now'), disabled: t('Not in use'), gone: t('gone') };
			fill(this.inventory, profiles.length ? table(t('Profiles'), [t('Profile'), t('Operator'), 'ICCID', t('Card'), t('State'), t('First seen'), t('Last seen')], profiles.map(one => [one.nickname || one.name || '', one.provider || '', endOf(one.iccid), one.holder ? this._nameOf(one.holder) : '', words[one.state] || one.state, day(one.first_seen, store), day(one.last_seen, store)])) : el('p.remsim-absent', {}, t('No card was read yet.')),
				csv ? el('p', {}, el('a.remsim-button', { href: csv, download: '' }, t('As CSV'))) : null);
		} catch (error) {
			fill(this.inventory, el('p.remsim-problem', {}, sentence(error.message)));
		}
	}

	_refuse(error) {
		this.error.hidden = false;
		setText(this.error, error.hint ? `${sentence(error.message)} ${sentence(error.hint)}` : sentence(error.message));
	}
}

/** What is wrong with a line. */
function told(row) {
	const { problem, warnings = [] } = row;
	return problem || warnings.length ? el('span', {}, problem ? el('span.remsim-problem', {}, `${sentence(problem.message)} ${sentence(problem.hint)}`.trim()) : null, warnings.length ? el('span.remsim-muted', {}, ` ${warnings.map(sentence).join(' ')}`) : null) : '';
}

function day(iso, store) {
	return iso ? moment(epoch(iso), store.now(), false) : '';
}

function table(label, heads, rows) {
	return el('div.remsim-tablebox.remsim-esim-table', { tabindex: '0', role: 'group', 'aria-label': label }, el('table.remsim-table', {}, el('thead', {}, el('tr', {}, heads.map(head => el('th', { scope: 'col' }, head)))), el('tbody', {}, rows.map(cells => el('tr', {}, cells.map(cell => el('td', {}, cell)))))));
}
