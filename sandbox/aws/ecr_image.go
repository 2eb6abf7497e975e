package aws

import (
	"slices"
	"strings"
)

// imageToken marks images in repositories; no stack makes them.
const imageToken = "ecr:image"

// repository is the one with that name, in whatever region: the registry on loopback has one name for all.
func (tx *Tx) repository(name string) (*Object, error) {
	for _, o := range tx.Objects {
		if o.Type == repositoryToken && o.Str("name") == name {
			return o, nil
		}
	}
	return nil, Errorf(repositoryRef.Code, repositoryRef.Message, name)
}

// Repositories are the names of the account's, in every region.
func (a *Account) Repositories() (names []string, err error) {
	err = a.Do("", func(tx *Tx) error {
		for _, o := range tx.Objects {
			if o.Type == repositoryToken {
				names = append(names, o.Str("name"))
			}
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// imagesIn are the images of a repository, one for each tag and one for each that has none.
func (tx *Tx) imagesIn(repository string) (images []*Object) {
	for _, o := range tx.Objects {
		if o.Type == imageToken && o.Str("repository") == repository {
			images = append(images, o)
		}
	}
	return images
}

// Image is the image of a repository by tag or by digest; nil where there is none.
func (tx *Tx) Image(repository, reference string) (*Object, error) {
	if _, err := tx.repository(repository); err != nil {
		return nil, err
	}
	by := "tag"
	if strings.HasPrefix(reference, "sha256:") {
		by = "digest"
	}
	for _, i := range tx.imagesIn(repository) {
		if i.Str(by) == reference {
			return i, nil
		}
	}
	return nil, nil
}

// MayPushImage is why ECR refuses a push; a tag of "" is an image without one.
func (tx *Tx) MayPushImage(repository, tag string) error {
	r, err := tx.repository(repository)
	if err != nil {
		return err
	}
	if there, _ := tx.Image(repository, tag); tag != "" && there != nil && r.Str("imageTagMutability") == "IMMUTABLE" {
		return Errorf("ImageTagAlreadyExistsException", "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.", tag, repository)
	}
	return nil
}

// PushImage puts an image into a repository, as `docker push` would. A tag moves from the image that had it.
func (tx *Tx) PushImage(repository, tag, digest string) error {
	if err := tx.MayPushImage(repository, tag); err != nil {
		return err
	}
	r, err := tx.repository(repository)
	if err != nil {
		return err
	}
	for _, i := range tx.imagesIn(repository) {
		switch {
		case i.Str("tag") == tag && i.Str("digest") == digest:
			return nil
		case i.Str("tag") == tag && tag != "":
			tx.Remove(i)
		}
	}
	tx.Add(&Object{
		Type: imageToken, ID: repository + "@" + digest + ":" + tag, Region: r.Region, Owner: r.Key(),
		Inputs: map[string]any{"repository": repository, "tag": tag, "digest": digest},
	})
	return nil
}
