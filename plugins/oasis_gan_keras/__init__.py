"""Train and run Keras models that translate slices: a library for plugins, not a plugin itself.

A new kind of model needs three short pieces:

- settings derived from `TrainingSettings`, plus those of its networks;
- a `Trainer`, which lists the networks and computes what each of them minimises;
- a `TrainableModel`, which tells `train` how to build that trainer and how to write the model
  folder.

To add a loss to an existing model, decorate a function with `loss`. Import TensorFlow and Keras
from `oasis_gan_keras.backend`, which loads them once and without their log messages. The public
names are listed in ``__init__.pyi``. Each is imported when it is first used, so checking settings
needs no TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
