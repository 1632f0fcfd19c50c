import js from '@eslint/js';
import globals from 'globals';

// Device text must never become markup.
const noMarkup = ['innerHTML', 'outerHTML'].map((name) => ({
	selector: `AssignmentExpression[left.property.name='${name}']`,
	message: `${name} turns text into markup; use textContent or nodes.`,
})).concat([
	{
		selector: "CallExpression[callee.property.name='insertAdjacentHTML']",
		message: 'insertAdjacentHTML turns text into markup; use nodes.',
	},
	{
		selector: "CallExpression[callee.object.name='document'][callee.property.name='write']",
		message: 'document.write replaces the page; use nodes.',
	},
]);

const rules = {
	'eqeqeq': 'error',
	'no-var': 'error',
	'prefer-const': 'error',
	'no-restricted-syntax': ['error', ...noMarkup],
};

// What LuCI's loader gives to a class it evaluates: its own names, and those of the 'require' strings.
const luci = Object.fromEntries([
	'L', 'E', '_', 'N_', 'TR', 'baseclass', 'cbi', 'dom', 'form', 'fs', 'network', 'poll', 'request', 'rpc', 'session',
	'uci', 'ui', 'validation', 'view', 'loader', 'manifest', 'options', 'page', 'service',
].map((name) => [name, 'readonly']));

export default [
	{ ignores: ['.venv/', '.run/', 'build/', 'dist/', 'htdocs/vendor/', '**/node_modules/'] },
	js.configs.recommended,
	{
		files: ['**/*.js'],
		languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: { ...globals.browser, Chart: 'readonly' } },
		rules,
	},
	{
		// LuCI evaluates these as the body of a function; they are no modules.
		files: ['luci-app-remsim/htdocs/**/*.js', 'tests/luci/runtime/**/*.js'],
		languageOptions: {
			sourceType: 'script',
			parserOptions: { ecmaFeatures: { globalReturn: true } },
			globals: luci,
		},
	},
	{
		files: ['**/*.mjs', 'tests/**/*.js'],
		languageOptions: { globals: { ...globals.browser, ...globals.node } },
	},
];
