"""What any Keras translator trains and computes with: a library for plugin authors, itself no plugin.

A model kind of one's own needs three things, each a few lines:

- settings derived from `TrainingSettings`, with those of its networks;
- a `Trainer`, which says what networks there are and what each of them minimises;
- a `TrainableModel`, which tells `train` how to make that trainer and how to write the model folder.

A further loss for models that exist is a function with the decorator `loss`. TensorFlow and Keras are imported from
`oasis_gan_keras.backend`, silently and once. The names in ``__init__.pyi`` are public; each is imported when it is
first asked for, so that checking settings needs no TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
