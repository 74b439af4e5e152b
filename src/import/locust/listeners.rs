//! Listeners of events: what `test_start` sends is the `setup` of the scenario.

use super::evaluator::{Evaluator, Handler, Phase};
use super::program::Binding;
use super::steps::{Step, sends};
use super::users::{event_of, has_request};
use super::value::{FunctionValue, Value};

impl Evaluator<'_> {
    /// The steps of `setup`; other listeners are left out.
    pub(super) fn listeners(&mut self) -> Vec<Step> {
        let mut setup = Vec::new();
        for module in 0..self.program.modules.len() {
            self.enter_module(module);
            let names: Vec<Binding> = self.program.modules[module].names.values().cloned().collect();
            for binding in names {
                let Binding::Function(function) = binding else { continue };
                let Some(event) = event_of(&function) else { continue };
                if event == "test_start" && has_request(&function.body) {
                    let called = FunctionValue { module, class: None, object: None, function: function.clone() };
                    let steps = self.setup(&called);
                    if sends(&steps) {
                        self.remark(function.line, format!("{} is the setup of the scenario", function.name));
                        setup.extend(steps);
                        continue;
                    }
                }
                self.lost(function.line, format!("the listener {} of {event} is left out", function.name));
            }
            self.leave_module();
        }
        setup
    }

    fn setup(&mut self, called: &FunctionValue) -> Vec<Step> {
        self.phase = Phase::Setup;
        self.handlers = vec![Handler::LeaveTask];
        let parameter = called.function.parameters.first().map(|parameter| parameter.name.clone());
        let steps =
            self.run_function(called, parameter.map(|name| (name, Value::External("logging.environment".to_owned()))));
        self.handlers.clear();
        self.phase = Phase::Start;
        steps
    }
}
